#pragma once

#include <string>
#include <string_view>

namespace daybook::detail {

/// Who is at work, as others see it: `host/process/number`, new with each object.
class Owner {
public:
    Owner();
    ~Owner();
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
};

/// True if `owner` was a process of this machine that is no more, or an Owner of this process that
/// is gone. False does not mean that it lives.
bool is_dead(std::string_view owner);

}  // namespace daybook::detail
