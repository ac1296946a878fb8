#include "daybook/core/backoff.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "daybook/core/clock.hpp"
#include "random.hpp"

namespace daybook {

Backoff::Duration Backoff::delay(int attempts_made, double random) const noexcept {
    if (initial_ <= Duration::zero()) return Duration::zero();
    const int repeats = std::max(attempts_made, 1) - 1;
    // In floating point, because integers would overflow.
    const double grown = static_cast<double>(initial_.count()) * std::pow(factor_, repeats);
    // `forever` also keeps the bound below the largest integer after rounding.
    const auto bound = static_cast<double>(std::min(max_, forever).count());
    double wait = grown < bound ? std::max(grown, 0.0) : std::max(bound, 0.0);
    if (jitter_) wait *= random;
    return Duration{static_cast<Duration::rep>(wait)};
}

Backoff::Duration Backoff::delay(int attempts_made) const {
    if (!jitter_) return delay(attempts_made, 0.0);
    constexpr double step = 1.0 / static_cast<double>(std::uint64_t{1} << 53);
    return delay(attempts_made, static_cast<double>(detail::random_bits() >> 11) * step);
}

}  // namespace daybook
