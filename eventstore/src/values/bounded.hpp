#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace daybook::detail {

/// `value` as a parameter of a statement. At most half of what there is, so that the statement may
/// add to it.
inline std::int64_t bounded(std::uint64_t value) noexcept {
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;
    return static_cast<std::int64_t>(std::min(value, max));
}

}  // namespace daybook::detail
