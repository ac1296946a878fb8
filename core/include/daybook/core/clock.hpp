#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace daybook {

/// An instant, in microseconds since 1970-01-01T00:00:00Z. Daybook stores instants only.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A hundred years, which counts as for ever: a wait of this length or longer
/// (`milliseconds::max()`) has no timeout, and a timer that is so far away is never due. A wait
/// below zero checks once and returns.
inline constexpr std::chrono::milliseconds forever = std::chrono::hours{24} * 36'525;

/// `instant + by`, limited to the first and the last Timestamp.
constexpr Timestamp saturating_add(Timestamp instant, std::chrono::microseconds by) noexcept {
    using Count = std::chrono::microseconds::rep;
    const Count at = instant.time_since_epoch().count();
    const Count step = by.count();
    if (step > 0 && at > std::numeric_limits<Count>::max() - step) return Timestamp::max();
    if (step < 0 && at < std::numeric_limits<Count>::min() - step) return Timestamp::min();
    return instant + by;
}

/// The time from `from` to `to`, limited to the longest duration.
constexpr std::chrono::microseconds saturating_difference(Timestamp to, Timestamp from) noexcept {
    using std::chrono::microseconds;
    const microseconds::rep end = to.time_since_epoch().count();
    const microseconds::rep begin = from.time_since_epoch().count();
    if (begin < 0 && end > std::numeric_limits<microseconds::rep>::max() + begin)
        return microseconds::max();
    if (begin > 0 && end < std::numeric_limits<microseconds::rep>::min() + begin)
        return microseconds::min();
    return to - from;
}

/// `wait` limited to zero and `forever`. The result can be added to an instant of the monotonic
/// clock, even twice, without an overflow of its nanoseconds.
constexpr std::chrono::milliseconds bounded_wait(std::chrono::milliseconds wait) noexcept {
    return std::clamp(wait, std::chrono::milliseconds::zero(), forever);
}

/// The instant of the monotonic clock that ends a wait of `timeout` from now.
inline std::chrono::steady_clock::time_point deadline_after(
    std::chrono::milliseconds timeout) noexcept {
    return std::chrono::steady_clock::now() + bounded_wait(timeout);
}

/// The time until `deadline`, rounded up; zero after it.
inline std::chrono::milliseconds time_left(
    std::chrono::steady_clock::time_point deadline) noexcept {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return bounded_wait(left);
}

/// `2016-07-04T09:30:00.000000Z`. A year that does not fit four digits has a sign and six digits,
/// as in `+012016-07-04T09:30:00.000000Z`.
std::string to_iso8601(Timestamp instant);

/// Parses a date (`2016-07-04`) or an instant in UTC (`2016-07-04T09:30:00Z`, with or without a
/// fraction of up to six digits), with the year as `to_iso8601` writes it. Throws
/// InvalidError, also for an instant that a Timestamp cannot hold.
Timestamp parse_iso8601(std::string_view text);

/// The source of instants: when an event is recorded, a timer is due, a message is delivered.
/// Implementations are thread-safe. In-process waits use the monotonic clock instead.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
public:
    Timestamp now() const override;
    /// The one instance; lives as long as the program.
    static SystemClock& instance() noexcept;
};

/// A clock that changes only when it is set: for tests, simulations and replays of history.
class VirtualClock final : public Clock {
public:
    explicit VirtualClock(Timestamp start) noexcept : now_(start) {}

    Timestamp now() const override { return now_.load(); }
    /// Moves to `instant`, forwards or backwards.
    void set(Timestamp instant) noexcept { now_.store(instant); }
    void advance(std::chrono::microseconds by) noexcept {
        Timestamp seen = now_.load();
        while (!now_.compare_exchange_weak(seen, saturating_add(seen, by))) continue;
    }

private:
    std::atomic<Timestamp> now_;
};

}  // namespace daybook
