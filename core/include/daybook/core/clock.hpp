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

/// What counts as for ever, a hundred years: a wait that is as long as this, or longer
/// (`milliseconds::max()`), ends only with what it waits for, and a timer that is as far away is
/// never due. Waits below zero look once and do not wait.
inline constexpr std::chrono::milliseconds forever = std::chrono::hours{24} * 36'525;

/// `instant + by`; the last instant there is when the sum lies beyond it, or the first one.
constexpr Timestamp saturating_add(Timestamp instant, std::chrono::microseconds by) noexcept {
    using Count = std::chrono::microseconds::rep;
    const Count at = instant.time_since_epoch().count();
    const Count step = by.count();
    if (step > 0 && at > std::numeric_limits<Count>::max() - step) return Timestamp::max();
    if (step < 0 && at < std::numeric_limits<Count>::min() - step) return Timestamp::min();
    return instant + by;
}

/// The time from `from` to `to`; the longest there is when it is longer.
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

/// `wait` between zero and `forever`: what may be added to an instant of the monotonic clock, twice
/// even, and converted to its nanoseconds.
constexpr std::chrono::milliseconds bounded_wait(std::chrono::milliseconds wait) noexcept {
    return std::clamp(wait, std::chrono::milliseconds::zero(), forever);
}

/// The instant of the monotonic clock that ends a wait of `timeout` from now.
inline std::chrono::steady_clock::time_point deadline_after(
    std::chrono::milliseconds timeout) noexcept {
    return std::chrono::steady_clock::now() + bounded_wait(timeout);
}

/// How long it is until `deadline`, rounded up; zero when it has passed.
inline std::chrono::milliseconds time_left(
    std::chrono::steady_clock::time_point deadline) noexcept {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return bounded_wait(left);
}

/// `2016-07-04T09:30:00.000000Z`. A year that has not four digits is written with its sign and six,
/// as in `+012016-07-04T09:30:00.000000Z`.
std::string to_iso8601(Timestamp instant);

/// Reads a date (`2016-07-04`) or an instant in UTC (`2016-07-04T09:30:00Z`, with or without a
/// fraction of up to six digits), its year as `to_iso8601` writes it. Throws InvalidError, also
/// for what lies beyond the first or last Timestamp.
Timestamp parse_iso8601(std::string_view text);

/// Where instants come from: the time an event is recorded, a timer is due, a message delayed.
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

/// A clock that stands still until it is moved: for tests, simulations and replays of history.
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
