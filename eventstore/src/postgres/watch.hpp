#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "postgres/connection.hpp"

namespace daybook::postgres {

/// The server's time, as this machine's clock and what was last seen between the two.
class ServerClock final : public Clock {
public:
    Timestamp now() const override { return SystemClock::instance().now() + offset_.load(); }
    void set_offset(std::chrono::microseconds offset) noexcept { offset_.store(offset); }

private:
    std::atomic<std::chrono::microseconds> offset_{};
};

/// Notices that somebody has committed. A notification is a hint, sent beside the commit and never
/// part of it: inside it, it would make all committers of the server wait for one another. The
/// truth is looking from time to time. Thread-safe.
class Watch {
public:
    Watch(Place place, EngineOptions options);

    /// Tells those who listen, if there are any, that something was committed. Waits for nothing.
    void tell() noexcept;
    /// Changes when somebody has committed.
    std::uint64_t token();
    const ServerClock& clock() const noexcept { return clock_; }

private:
    using SteadyClock = std::chrono::steady_clock;

    void connect();
    bool was_notified();
    void look();

    /// A notification that is lost is made up for by the next look.
    static constexpr std::chrono::milliseconds look_every{25};

    const Place place_;
    const EngineOptions options_;
    const std::string channel_;
    std::mutex mutex_;
    // All under mutex_.
    std::unique_ptr<Connection> connection_;
    SteadyClock::time_point looked_at_{};
    SteadyClock::time_point asked_at_{};  ///< who else listens
    std::int64_t head_ = -1;
    std::int64_t units_ = -1;
    std::uint64_t token_ = 0;
    ServerClock clock_;
};

}  // namespace daybook::postgres
