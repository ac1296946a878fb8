#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace daybook::detail {

/// Notes in which process an object was created. The child of a fork has a copy of the object, but
/// not its threads and locks: using or destroying it there could damage the store of the parent.
class ForkMark {
public:
    ForkMark();

    bool is_in_child() const noexcept {
        return made_after_ != forks.load(std::memory_order_relaxed);
    }
    /// Throws InvalidError in a child. `store` is its name for the text.
    void refuse_child(std::string_view store) const {
        if (is_in_child()) throw_in_child(store);
    }

private:
    [[noreturn]] static void throw_in_child(std::string_view store);

    static std::atomic<std::uint32_t> forks;  ///< of this process and its parents
    const std::uint32_t made_after_;
};

}  // namespace daybook::detail
