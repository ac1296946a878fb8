#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <span>
#include <thread>
#include <vector>

#include <semaphore.h>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/engine.hpp"

namespace daybook {

/// Group commit for all writes of a process. Callers queue up. The first becomes the leader: it
/// takes the appends that wait behind it, stores them in one transaction and wakes each follower
/// with its own outcome. A single caller leads a group of one, without another thread and without
/// delay. (Modelled on LevelDB's write queue: google/leveldb, DBImpl::Write.)
///
/// Callers that have just got their outcome usually append again at once. The leader of a small
/// group waits a moment for them, so that all share one commit; otherwise two halves would take
/// turns, each waiting for the commit of the other. If they do not come back in time, the next
/// groups do not wait. (PostgreSQL's commit_delay and commit_siblings have the same purpose.) A
/// large group is stored at once: the callers of the last one wake up and queue again meanwhile.
///
/// An asynchronous append, which has no caller that waits, joins a group like any other. When it
/// comes to the front, a thread of the queue leads for it; the first such append starts the thread.
class CommitQueue {
public:
    /// An append that owns its data.
    struct OwnedAppend {
        StreamName stream;
        ExpectedVersion expected;
        std::vector<NewEvent> events;
        Timestamp recorded_at;
    };

    /// `before_commit` runs for each append that stored something, in the same transaction;
    /// `has_hooks` returns false if it would do nothing. `after_commit` runs after every commit.
    struct Hooks {
        std::function<bool()> has_hooks;
        std::function<void(WriteTransaction&, const AppendRequest&)> before_commit;
        std::function<void()> after_commit;
    };

    CommitQueue(Engine& engine, Hooks hooks) : engine_(engine), hooks_(std::move(hooks)) {}
    /// Stores the asynchronous appends that are still in the queue.
    ~CommitQueue();

    AppendOutcome append(const AppendRequest& request);
    /// Waits only while `async_pending_max` such appends are not stored yet.
    std::future<AppendResult> append_async(OwnedAppend append);
    /// Runs `work` in a transaction of its own, without a group, on the calling thread, and commits
    /// it.
    void transact(const std::function<void(WriteTransaction&)>& work);

private:
    struct Waiter;
    struct BlockingWaiter;
    struct AsyncWaiter;
    using Group = std::span<Waiter* const>;
    using SteadyClock = std::chrono::steady_clock;

    /// A semaphore on which one thread sleeps. (POSIX, because it needs fewer system calls than
    /// those of the standard library.)
    class Wakeup {
    public:
        Wakeup() noexcept { sem_init(&semaphore_, 0, 0); }
        ~Wakeup() { sem_destroy(&semaphore_); }
        Wakeup(const Wakeup&) = delete;
        Wakeup& operator=(const Wakeup&) = delete;

        void signal() noexcept { sem_post(&semaphore_); }
        void wait() noexcept;
        void wait_for(std::chrono::nanoseconds time) noexcept;

    private:
        sem_t semaphore_;
    };

    /// Returns true if the waiter is at the front and leads.
    bool enqueue(Waiter& waiter) DAYBOOK_REQUIRES(mutex_);
    /// Returns when the waiter leads, or has its outcome.
    void enqueue_and_wait(BlockingWaiter& waiter);
    /// Leads for asynchronous appends, until the queue is closed and empty.
    void lead_async_appends();
    /// Stores the leader's group and wakes the followers.
    void lead(Waiter& leader);
    /// Waits for the callers of the last group to queue again, at most for a quarter of the time
    /// that storing it took.
    void collect(Waiter& leader);
    /// The number of waiters in the group: the leader and the appends that may join it.
    std::size_t group_size() const DAYBOOK_REQUIRES(mutex_);
    void store(Group group);
    /// Without savepoints. False, and nothing is stored, if an event id is already stored.
    bool store_together(Group group);
    /// Each append with a savepoint of its own, so that one that fails does not fail the others.
    void store_with_savepoints(Group group);
    /// False if the engine has ended the transaction by itself: nothing is stored, and the append
    /// that caused it has its error.
    bool try_with_savepoints(const std::vector<Waiter*>& group);
    /// Removes the group from the queue, wakes the next leader, then the followers.
    void finish(std::size_t group_size);

    static constexpr std::size_t group_appends_max = 1024;
    static constexpr std::size_t group_events_max = 20'000;
    static constexpr std::size_t async_pending_max = 4096;
    /// The system's timers are not precise enough for a shorter wait.
    static constexpr std::chrono::microseconds collect_wait_min{50};
    /// Larger groups do not wait.
    static constexpr std::size_t collect_below = 16;
    static constexpr int collects_skipped_max = 31;

    Engine& engine_;
    const Hooks hooks_;
    Mutex mutex_;
    std::deque<Waiter*> queue_ DAYBOOK_GUARDED_BY(mutex_);  ///< the front one leads
    /// Of the last group, those that have not queued again.
    std::size_t absent_callers_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    bool collecting_ DAYBOOK_GUARDED_BY(mutex_) = false;  ///< the leader waits for them
    /// How many groups do not wait after a futile wait: about doubles with each, zero after a
    /// successful one.
    int collects_to_skip_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    int collects_left_to_skip_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    /// Asynchronous appends that are not stored yet.
    std::size_t async_pending_ DAYBOOK_GUARDED_BY(mutex_) = 0;
    bool closed_ DAYBOOK_GUARDED_BY(mutex_) = false;
    ConditionVariable async_room_;  ///< `async_pending_` has become less

    /// Only the leader uses it. It passes from one leader to the next with mutex_ or a wakeup.
    SteadyClock::duration last_store_time_{};
    Wakeup committer_wakeup_;
    std::thread committer_;  ///< runs `lead_async_appends`, once it is needed
};

}  // namespace daybook
