#pragma once

#include <chrono>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

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
class CommitQueue {
public:
    /// `before_commit` runs for each append that stored something, inside its unit; `has_hooks`
    /// says whether it would do anything.
    struct Hooks {
        std::function<bool()> has_hooks;
        std::function<void(WriteTransaction&, const AppendRequest&)> before_commit;
        std::function<void()> after_commit;
    };

    CommitQueue(Engine& engine, Hooks hooks) : engine_(engine), hooks_(std::move(hooks)) {}

    AppendOutcome append(const AppendRequest& request);
    /// Runs `unit` alone in a transaction of its own, on the calling thread, and commits it.
    void transact(const std::function<void(WriteTransaction&)>& unit);

private:
    struct Waiter;
    using Group = std::span<Waiter* const>;
    using SteadyClock = std::chrono::steady_clock;

    void wait_for_turn(Waiter& waiter);
    /// Waits for the callers of the last group, at most for a quarter of the time it took.
    void gather(Waiter& leader);
    /// The leader and the appends that may join it.
    std::size_t group_size() const;
    void store(Group group);
    bool store_together(Group group);
    void store_one_by_one(Group group);
    void finish(std::size_t group_size);

    static constexpr std::size_t group_appends_max = 1024;
    static constexpr std::size_t group_events_max = 20'000;
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
};

}  // namespace daybook
