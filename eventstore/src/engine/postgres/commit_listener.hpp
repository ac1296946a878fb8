#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// The server's time: its clock at the last poll, and the time since then on this machine's
/// monotonic clock, which is never set.
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

/// Notices commits of other processes, and tells them about those of this one. Thread-safe.
///
/// NOTIFY is only a hint that makes readers poll earlier: a notification may be lost, and polling
/// every `poll_interval` finds every commit. It is sent after the commit, in a transaction of its
/// own. Inside the committing transaction it would take a lock of the whole server until the commit
/// is on disk, and all transactions that notify would wait for each other
/// (docs/decisions/0012-one-lock-for-a-log-on-postgresql.md has the measurement).
///
/// A process that listens has to read its notifications. If one does not, the queue of the server
/// fills up, and then no process in any of its databases can notify. So a thread drains them while
/// nobody calls `token`. The same thread polls now and then for the server's time.
class CommitListener {
public:
    CommitListener(ConnectionString connection_string, StoreOptions options);
    ~CommitListener();
    CommitListener(const CommitListener&) = delete;
    CommitListener& operator=(const CommitListener&) = delete;

    /// Notifies the other listeners, if there are any, of a commit. Does not wait for the server.
    void notify() noexcept;
    /// A number that changes when a process has committed, and when a poll fails.
    std::uint64_t token();
    const ServerClock& clock() const noexcept { return clock_; }

private:
    using SteadyClock = std::chrono::steady_clock;

    /// What a poll has seen. It changes with every commit: one of events changes the head, another
    /// transaction the last two. `transaction_has_ended` is needed because a transaction that had
    /// not ended at one poll may be committed by the next, under the same id.
    struct LogState {
        std::int64_t head = 0;
        std::int64_t transaction = 0;  ///< the last one that is not a plain append
        bool transaction_has_ended = false;
        bool operator==(const LogState&) const = default;
    };

    void connect() DAYBOOK_REQUIRES(mutex_);
    void listen() DAYBOOK_REQUIRES(mutex_);
    /// Takes the notifications that have come. True if another process has sent one.
    bool take_notifications() DAYBOOK_REQUIRES(mutex_);
    void poll() DAYBOOK_REQUIRES(mutex_);
    /// The same; a failure changes the token.
    void poll_or_note_failure() noexcept DAYBOOK_REQUIRES(mutex_);

    /// Runs in `drain_thread_`.
    void drain(const std::stop_token& stop);

    /// The longest time after which a waiting reader sees a commit whose notification was lost.
    static constexpr std::chrono::milliseconds poll_interval{25};
    /// Short enough that the notifications of a busy store fit into the socket meanwhile.
    static constexpr std::chrono::milliseconds drain_interval{500};
    static constexpr std::chrono::seconds clock_sync_interval{10};

    const ConnectionString connection_string_;
    const StoreOptions options_;
    const std::string channel_;
    Mutex mutex_;
    std::unique_ptr<Connection> connection_ DAYBOOK_GUARDED_BY(mutex_);
    bool listens_ DAYBOOK_GUARDED_BY(mutex_) = false;
    bool notified_ DAYBOOK_GUARDED_BY(mutex_) = false;  ///< since the last poll
    SteadyClock::time_point polled_at_ DAYBOOK_GUARDED_BY(mutex_){};
    /// When the other processes' listeners were counted.
    SteadyClock::time_point listeners_counted_at_ DAYBOOK_GUARDED_BY(mutex_){};
    std::optional<LogState> last_state_ DAYBOOK_GUARDED_BY(mutex_);
    std::uint64_t token_ DAYBOOK_GUARDED_BY(mutex_) = 0;

    ServerClock clock_;
    StoppableCondition stopped_;
    std::jthread drain_thread_;  ///< runs `drain`
};

}  // namespace daybook::postgres
