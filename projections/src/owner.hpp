#pragma once

#include <string>
#include <string_view>

namespace daybook::detail {

/// Identifies one run of a rebuild to other threads and processes: `host/process/number`.
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

/// True if `owner` belongs to a process of this machine that has ended, or to an Owner of this
/// process that was destroyed. False if it lives, or if this cannot be found out from here.
bool is_dead(std::string_view owner);

}  // namespace daybook::detail
