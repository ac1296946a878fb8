#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// The server's time: what it said last, and what has passed since on a clock of this machine that
/// nobody sets.
class ServerClock final : public Clock {
public:
    Timestamp now() const override { return Timestamp{steady_now() + offset_.load()}; }
    void set_offset(std::chrono::microseconds offset) noexcept { offset_.store(offset); }

    static std::chrono::microseconds steady_now() noexcept {
        return std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
    }

private:
    std::atomic<std::chrono::microseconds> offset_{};
};

/// Notices that somebody has committed. A notification is a hint, sent beside the commit and never
/// part of it: inside it, it would make all committers of the server wait for one another. The
/// truth is looking from time to time. Thread-safe.
///
/// What the server has sent to a program that listens has to be taken, or all programs of the whole
/// cluster can send no more when its queue is full; so a thread takes it when nobody else does. It
/// also asks for the server's time now and then.
class Watch {
public:
    Watch(Place place, StoreOptions options);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Tells those who listen, if there are any, that something was committed. Waits for nothing.
    void tell() noexcept;
    /// Changes when somebody has committed, and when that cannot be known. Throws nothing.
    std::uint64_t token();
    const ServerClock& clock() const noexcept { return clock_; }

private:
    using SteadyClock = std::chrono::steady_clock;

    /// What a look at the store has shown. A unit that was under way may be committed by the next.
    struct Seen {
        std::int64_t head = 0;
        std::int64_t unit = 0;
        bool unit_has_ended = false;
        bool operator==(const Seen&) const = default;
    };

    // REQUIRES: mutex_, all of them.
    void connect();
    void listen();
    bool was_notified();
    void look();
    void look_or_note_failure() noexcept;

    void keep(const std::stop_token& stop);

    /// A notification that is lost is made up for by the next look.
    static constexpr std::chrono::milliseconds look_every{25};
    /// So often that what a busy store sends meanwhile fits into a socket.
    static constexpr std::chrono::milliseconds take_every{500};
    static constexpr std::chrono::seconds ask_time_every{10};

    const Place place_;
    const StoreOptions options_;
    const std::string channel_;
    std::mutex mutex_;
    // All under mutex_.
    std::unique_ptr<Connection> connection_;
    bool listens_ = false;
    bool notified_ = false;  ///< since the last look
    SteadyClock::time_point looked_at_{};
    SteadyClock::time_point asked_at_{};  ///< who else listens
    std::optional<Seen> seen_;
    std::uint64_t token_ = 0;

    ServerClock clock_;
    std::condition_variable_any stopped_;
    std::jthread keeper_;  ///< runs `keep`
};

}  // namespace daybook::postgres
