#include "commit_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <semaphore.h>
#include <time.h>

#include "daybook/core/error.hpp"

namespace daybook {

struct CommitQueue::Waiter {
    enum State : int { waiting, leading, done };

    const AppendRequest* request = nullptr;  ///< none: wants the transaction for itself
    std::optional<AppendOutcome> outcome{};
    std::exception_ptr error{};
    State state = waiting;  ///< written before `told` is posted, read after it was taken
    sem_t told;

    Waiter() { sem_init(&told, 0, 0); }
    ~Waiter() { sem_destroy(&told); }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    void become(State next) noexcept {
        state = next;
        sem_post(&told);
    }
    void wait() noexcept {
        while (sem_wait(&told) != 0) {}
    }
    void wait_at_most(std::chrono::nanoseconds time) noexcept {
        timespec until{};
        clock_gettime(CLOCK_MONOTONIC, &until);
        const auto nanoseconds = until.tv_nsec + time.count();
        constexpr long second = 1'000'000'000;
        until.tv_sec += nanoseconds / second;
        until.tv_nsec = nanoseconds % second;
        while (sem_clockwait(&told, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {}
    }
};

AppendOutcome CommitQueue::append(const AppendRequest& request) {
    Waiter self;
    self.request = &request;
    wait_for_turn(self);
    if (self.state == Waiter::leading) {
        gather(self);
        std::vector<Waiter*> group;
        {
            const std::scoped_lock lock{mutex_};
            const auto size = static_cast<std::ptrdiff_t>(group_size());
            group.assign(queue_.begin(), queue_.begin() + size);
        }
        const auto begun = SteadyClock::now();
        store(group);
        last_store_ = SteadyClock::now() - begun;
        finish(group.size());
    }
    if (self.error) std::rethrow_exception(self.error);
    return *self.outcome;
}

void CommitQueue::transact(const std::function<void(WriteTransaction&)>& unit) {
    Waiter self;
    wait_for_turn(self);
    struct Finish {
        CommitQueue& queue;
        ~Finish() { queue.finish(1); }
    };
    {
        const Finish leave{*this};
        const auto transaction = engine_.begin();
        unit(*transaction);
        transaction->commit();
    }
    hooks_.after_commit();
}

void CommitQueue::wait_for_turn(Waiter& waiter) {
    {
        const std::scoped_lock lock{mutex_};
        queue_.push_back(&waiter);
        if (returning_ > 0) --returning_;
        // Nobody behind one who wants to be alone can join.
        const bool complete = returning_ == 0 || waiter.request == nullptr;
        if (gathering_ && complete) {
            gathering_ = false;
            sem_post(&queue_.front()->told);
        }
        if (queue_.front() == &waiter) {
            waiter.state = Waiter::leading;
            return;
        }
    }
    waiter.wait();
}

void CommitQueue::gather(Waiter& leader) {
    const auto patience = last_store_ / 4;
    std::size_t awaited = 0;
    {
        const std::scoped_lock lock{mutex_};
        awaited = returning_;
        if (awaited == 0 || patience < gather_min) return;
        if (queue_.size() >= gather_below || group_size() < queue_.size()) return;
        if (gathers_skipped_ > 0) {
            --gathers_skipped_;
            return;
        }
        gathering_ = true;
    }
    leader.wait_at_most(patience);
    const std::scoped_lock lock{mutex_};
    gathering_ = false;
    const bool in_vain = returning_ * 2 > awaited;
    gathers_missed_ = in_vain ? std::min(2 * gathers_missed_ + 1, gathers_missed_max) : 0;
    gathers_skipped_ = gathers_missed_;
}

std::size_t CommitQueue::group_size() const {
    std::size_t size = 0;
    std::size_t events = 0;
    for (const Waiter* waiter : queue_) {
        if (waiter->request == nullptr || size == group_appends_max) break;
        events += waiter->request->events.size();
        if (size > 0 && events > group_events_max) break;
        ++size;
    }
    return size;
}

void CommitQueue::store(Group group) {
    try {
        // An append says no before it has written anything, but for rare cases; so all go without
        // a savepoint first, and only if one of those cases comes up does each get its own.
        if (hooks_.has_hooks() || !store_together(group)) store_one_by_one(group);
        hooks_.after_commit();
    } catch (...) {
        for (Waiter* waiter : group) {
            if (!waiter->error) waiter->error = std::current_exception();
        }
    }
}

bool CommitQueue::store_together(Group group) {
    std::vector<const AppendRequest*> requests;
    requests.reserve(group.size());
    for (const Waiter* waiter : group) requests.push_back(waiter->request);
    try {
        std::vector<AppendOutcome> outcomes = engine_.append_all(requests);
        for (std::size_t i = 0; i < group.size(); ++i) group[i]->outcome = std::move(outcomes[i]);
        return true;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::duplicate) throw;
        return false;
    }
}

void CommitQueue::store_one_by_one(Group group) {
    const auto transaction = engine_.begin();
    for (Waiter* waiter : group) {
        transaction->savepoint();
        try {
            waiter->outcome = transaction->append(*waiter->request);
            if (has_stored(*waiter->outcome)) {
                hooks_.before_commit(*transaction, *waiter->request);
            }
            transaction->release_savepoint();
        } catch (...) {
            waiter->error = std::current_exception();
            transaction->rollback_to_savepoint();
        }
    }
    transaction->commit();
}

void CommitQueue::finish(std::size_t group_size) {
    std::vector<Waiter*> followers;
    {
        const std::scoped_lock lock{mutex_};
        const auto size = static_cast<std::ptrdiff_t>(group_size);
        followers.assign(queue_.begin() + 1, queue_.begin() + size);
        queue_.erase(queue_.begin(), queue_.begin() + size);
        returning_ = group_size;
        // The next leader goes to work before this group is told, so the disk never idles.
        if (!queue_.empty()) queue_.front()->become(Waiter::leading);
    }
    for (Waiter* follower : followers) follower->become(Waiter::done);
}

}  // namespace daybook
