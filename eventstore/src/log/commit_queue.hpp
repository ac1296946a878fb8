#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <semaphore.h>

#include "daybook/eventstore/engine.hpp"

namespace daybook {

/// Where all writes of a process meet. Callers queue up; the first becomes the leader, takes the
/// appends that wait behind it, stores them in one transaction and tells everyone their own
/// verdict. A lone caller leads a group of one: no thread hop, no delay.
/// (LevelDB's write queue is the model: google/leveldb, DBImpl::Write.)
///
/// Callers that were just told usually come again at once. A leader of few waits a moment for them,
/// so that all share one commit instead of two halves taking turns; when they do not come, the next
/// groups do not wait. (PostgreSQL's commit_delay and commit_siblings have the same purpose.) A
/// large group goes at once: the callers of the last one wake up while it is stored.
///
/// An append that nobody waits for joins like any other; when it comes to the front, a thread of
/// the queue leads for it. That thread begins with the first such append.
class CommitQueue {
public:
    /// An append with all that it speaks of.
    struct OwnedAppend {
        StreamName stream;
        ExpectedVersion expected;
        std::vector<NewEvent> events;
        Timestamp recorded_at;
    };

    /// `before_commit` runs for each append that stored something, inside its unit; `has_hooks`
    /// says whether it would do anything.
    struct Hooks {
        std::function<bool()> has_hooks;
        std::function<void(WriteTransaction&, const AppendRequest&)> before_commit;
        std::function<void()> after_commit;
    };

    CommitQueue(Engine& engine, Hooks hooks) : engine_(engine), hooks_(std::move(hooks)) {}
    /// Stores what is still outstanding.
    ~CommitQueue();

    AppendOutcome append(const AppendRequest& request);
    /// Waits only if too many are outstanding.
    std::future<AppendResult> append_async(OwnedAppend append);
    /// Runs `unit` alone in a transaction of its own, on the calling thread, and commits it.
    void transact(const std::function<void(WriteTransaction&)>& unit);

private:
    struct Waiter;
    struct BlockingWaiter;
    struct AsyncWaiter;
    using Group = std::span<Waiter* const>;
    using SteadyClock = std::chrono::steady_clock;

    /// What one thread waits for. (A POSIX semaphore, because it takes fewer system calls than what
    /// the library has.)
    class Bell {
    public:
        Bell() noexcept { sem_init(&rung_, 0, 0); }
        ~Bell() { sem_destroy(&rung_); }
        Bell(const Bell&) = delete;
        Bell& operator=(const Bell&) = delete;

        void ring() noexcept { sem_post(&rung_); }
        void wait() noexcept;
        void wait_at_most(std::chrono::nanoseconds time) noexcept;

    private:
        sem_t rung_;
    };

    /// True if it is in front and leads. Under `mutex_`.
    bool enqueue(Waiter& waiter);
    void wait_for_turn(BlockingWaiter& waiter);
    /// Leads for appends that nobody waits for, until the queue is closed and empty.
    void commit_outstanding();
    void lead(Waiter& leader);
    /// Waits for the callers of the last group, at most for a quarter of the time it took.
    void gather(Waiter& leader);
    /// The leader and the appends that may join it.
    std::size_t group_size() const;
    void store(Group group);
    bool store_together(Group group);
    void store_one_by_one(Group group);
    /// False if the engine has ended the transaction by itself: nothing is stored, and the append
    /// that was the reason has its error.
    bool try_one_by_one(const std::vector<Waiter*>& group);
    void finish(std::size_t group_size);

    static constexpr std::size_t group_appends_max = 1024;
    static constexpr std::size_t group_events_max = 20'000;
    static constexpr std::size_t outstanding_max = 4096;
    /// A shorter wait than the system's timers can make is none.
    static constexpr std::chrono::microseconds gather_min{50};
    static constexpr std::size_t gather_below = 16;
    static constexpr int gathers_missed_max = 31;

    Engine& engine_;
    const Hooks hooks_;
    std::mutex mutex_;
    std::deque<Waiter*> queue_;  ///< under mutex_; the front one leads
    std::size_t returning_ = 0;  ///< under mutex_; of the last group, those not in the queue again
    bool gathering_ = false;     ///< under mutex_; the front one waits for them
    int gathers_missed_ = 0;     ///< under mutex_; grows with each wait in vain
    int gathers_skipped_ = 0;    ///< under mutex_; groups that still do not wait
    SteadyClock::duration last_store_{};  ///< the leader's
    std::size_t outstanding_ = 0;         ///< under mutex_; appends that nobody waits for
    bool closed_ = false;                 ///< under mutex_
    std::condition_variable room_;        ///< fewer are outstanding
    Bell committer_bell_;
    std::thread committer_;  ///< runs `commit_outstanding`, once it is needed
};

}  // namespace daybook
