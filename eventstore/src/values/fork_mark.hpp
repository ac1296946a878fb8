#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace daybook::detail {

/// Which process something was made in. A child after `fork` has its memory, but not its threads
/// and not its locks: it may neither use it nor destroy it.
class ForkMark {
public:
    ForkMark();

    bool is_in_child() const noexcept {
        return made_after_ != forks.load(std::memory_order_relaxed);
    }
    /// Throws InvalidError in a child; `store` is the one it is about.
    void refuse_child(std::string_view store) const {
        if (is_in_child()) throw_in_child(store);
    }

private:
    [[noreturn]] static void throw_in_child(std::string_view store);

    static std::atomic<std::uint32_t> forks;  ///< between this process and the program's first
    const std::uint32_t made_after_;
};

}  // namespace daybook::detail
