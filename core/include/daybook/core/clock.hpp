#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

namespace daybook {

/// An instant, in microseconds since 1970-01-01T00:00:00Z. Daybook stores instants only.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// `2016-07-04T09:30:00.000000Z`.
std::string to_iso8601(Timestamp instant);

/// Reads a date (`2016-07-04`) or an instant in UTC (`2016-07-04T09:30:00Z`, with or without a
/// fraction of up to six digits). Throws InvalidError.
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
        while (!now_.compare_exchange_weak(seen, seen + by)) continue;
    }

private:
    std::atomic<Timestamp> now_;
};

}  // namespace daybook
