#include "log/commit_queue.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"

namespace daybook {

/// An append, or a call of `transact`, in the queue.
struct CommitQueue::Waiter {
    Waiter(const AppendRequest* append_request, Wakeup& leaders_wakeup)
        : request(append_request), wakeup(leaders_wakeup) {}
    virtual ~Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Called once the outcome or the error is set. The waiter may be destroyed before this
    /// returns.
    virtual void finish() noexcept = 0;
    virtual bool is_async() const noexcept = 0;

    const AppendRequest* const request;  ///< null for `transact`, which joins no group
    Wakeup& wakeup;                      ///< of the thread that leads when this is at the front
    bool leads = false;                  ///< set before `wakeup` is signalled
    std::optional<AppendOutcome> outcome{};
    std::exception_ptr error{};
};

struct CommitQueue::BlockingWaiter final : Waiter {
    explicit BlockingWaiter(const AppendRequest* append_request)
        : Waiter(append_request, own_wakeup) {}

    void finish() noexcept override { own_wakeup.signal(); }
    bool is_async() const noexcept override { return false; }

    Wakeup own_wakeup;
};

struct CommitQueue::AsyncWaiter final : Waiter {
    AsyncWaiter(OwnedAppend given, Wakeup& committers_wakeup)
        : Waiter(&owned_request, committers_wakeup), append(std::move(given)) {}

    void finish() noexcept override {
        const std::unique_ptr<AsyncWaiter> owner{this};
        if (!error && std::holds_alternative<Conflict>(*outcome)) {
            error = std::make_exception_ptr(ConflictError(std::get<Conflict>(std::move(*outcome))));
        }
        if (error) return promise.set_exception(error);
        promise.set_value(std::get<AppendResult>(*outcome));
    }
    bool is_async() const noexcept override { return true; }

    const OwnedAppend append;
    const AppendRequest owned_request{
        append.stream, append.expected, append.events, append.recorded_at, {}};
    std::promise<AppendResult> promise;
};

void CommitQueue::Wakeup::wait() noexcept {
    while (sem_wait(&semaphore_) != 0) {}
}

void CommitQueue::Wakeup::wait_for(std::chrono::nanoseconds time) noexcept {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const auto nanoseconds = until.tv_nsec + time.count();
    constexpr long second = 1'000'000'000;
    until.tv_sec += nanoseconds / second;
    until.tv_nsec = nanoseconds % second;
    while (sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {}
}

CommitQueue::~CommitQueue() {
    if (!committer_.joinable()) return;
    {
        const MutexLock lock{mutex_};
        closed_ = true;
    }
    committer_wakeup_.signal();
    committer_.join();
}

AppendOutcome CommitQueue::append(const AppendRequest& request) {
    BlockingWaiter self{&request};
    enqueue_and_wait(self);
    if (self.leads) lead(self);
    if (self.error) std::rethrow_exception(self.error);
    return *self.outcome;
}

std::future<AppendResult> CommitQueue::append_async(OwnedAppend append) {
    auto waiter = std::make_unique<AsyncWaiter>(std::move(append), committer_wakeup_);
    auto result = waiter->promise.get_future();
    MutexLock lock{mutex_};
    if (!committer_.joinable()) committer_ = std::thread{[this] { lead_async_appends(); }};
    while (async_pending_ >= async_pending_max) async_room_.wait(lock);
    if (enqueue(*waiter)) committer_wakeup_.signal();
    ++async_pending_;
    // The queue owns the waiter until `finish`.
    static_cast<void>(waiter.release());
    return result;
}

void CommitQueue::lead_async_appends() {
    while (true) {
        {
            // `collect` may have consumed the destructor's signal as one that says that the group
            // is complete. Waiting for it here would then never end.
            const MutexLock lock{mutex_};
            if (closed_ && queue_.empty()) return;
        }
        committer_wakeup_.wait();
        Waiter* leader = nullptr;
        {
            const MutexLock lock{mutex_};
            // A signal that came just after `collect` had timed out is still pending, so the thread
            // can wake up without a reason.
            if (queue_.empty() || !queue_.front()->is_async()) continue;
            leader = queue_.front();
        }
        lead(*leader);
        leader->finish();
    }
}

void CommitQueue::lead(Waiter& leader) {
    collect(leader);
    std::vector<Waiter*> group;
    {
        const MutexLock lock{mutex_};
        const auto size = static_cast<std::ptrdiff_t>(group_size());
        group.assign(queue_.begin(), queue_.begin() + size);
    }
    const auto started_at = SteadyClock::now();
    store(group);
    last_store_time_ = SteadyClock::now() - started_at;
    finish(group.size());
}

void CommitQueue::transact(const std::function<void(WriteTransaction&)>& work) {
    BlockingWaiter self{nullptr};
    enqueue_and_wait(self);
    struct Finish {
        CommitQueue& queue;
        ~Finish() { queue.finish(1); }
    };
    {
        const Finish leave{*this};
        const auto transaction = engine_.begin();
        work(*transaction);
        transaction->commit();
    }
    hooks_.after_commit();
}

bool CommitQueue::enqueue(Waiter& waiter) {
    queue_.push_back(&waiter);
    if (absent_callers_ > 0) --absent_callers_;
    // A call of `transact` completes the group in front of it: it cannot join, and an append behind
    // it must not overtake it.
    const bool complete = absent_callers_ == 0 || waiter.request == nullptr;
    if (collecting_ && complete) {
        collecting_ = false;
        queue_.front()->wakeup.signal();
    }
    waiter.leads = queue_.front() == &waiter;
    return waiter.leads;
}

void CommitQueue::enqueue_and_wait(BlockingWaiter& waiter) {
    {
        const MutexLock lock{mutex_};
        if (enqueue(waiter)) return;
    }
    waiter.own_wakeup.wait();
}

void CommitQueue::collect(Waiter& leader) {
    const auto wait_max = last_store_time_ / 4;
    std::size_t awaited = 0;
    {
        const MutexLock lock{mutex_};
        awaited = absent_callers_;
        if (awaited == 0 || wait_max < collect_wait_min) return;
        if (queue_.size() >= collect_below || group_size() < queue_.size()) return;
        if (collects_left_to_skip_ > 0) {
            --collects_left_to_skip_;
            return;
        }
        collecting_ = true;
    }
    leader.wakeup.wait_for(wait_max);
    const MutexLock lock{mutex_};
    collecting_ = false;
    const bool was_futile = absent_callers_ * 2 > awaited;
    collects_to_skip_ = was_futile ? std::min(2 * collects_to_skip_ + 1, collects_skipped_max) : 0;
    collects_left_to_skip_ = collects_to_skip_;
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
        // A conflict is found before anything is written, so one append's conflict leaves nothing
        // to undo. Only a repeated event id fails the whole transaction. That is rare: all appends
        // are first stored without savepoints, and if it happens again with one for each.
        if (hooks_.has_hooks() || !store_together(group)) store_with_savepoints(group);
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

void CommitQueue::store_with_savepoints(Group group) {
    std::vector<Waiter*> left(group.begin(), group.end());
    while (!left.empty() && !try_with_savepoints(left)) {
        std::erase_if(left, [](const Waiter* waiter) { return waiter->error != nullptr; });
    }
}

bool CommitQueue::try_with_savepoints(const std::vector<Waiter*>& group) {
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
        }
        if (!waiter->error) continue;
        try {
            transaction->rollback_to_savepoint();
        } catch (const Error&) {
            // The transaction was rolled back together with the savepoint (a hook ran INSERT OR
            // ROLLBACK, or the disk is full). The other appends are tried again without this one.
            return false;
        }
    }
    transaction->commit();
    return true;
}

void CommitQueue::finish(std::size_t group_size) {
    std::vector<Waiter*> followers;
    {
        const MutexLock lock{mutex_};
        const auto size = static_cast<std::ptrdiff_t>(group_size);
        const auto end = queue_.begin() + size;
        const auto async_count = std::count_if(
            queue_.begin(), end, [](const Waiter* waiter) { return waiter->is_async(); });
        followers.assign(queue_.begin() + 1, end);
        queue_.erase(queue_.begin(), end);
        absent_callers_ = group_size;
        if (async_count > 0) {
            async_pending_ -= static_cast<std::size_t>(async_count);
            async_room_.notify_all();
        }
        // The next leader is woken before the followers, so that the disk is not idle meanwhile.
        if (!queue_.empty()) {
            queue_.front()->leads = true;
            queue_.front()->wakeup.signal();
        }
    }
    for (Waiter* follower : followers) follower->finish();
}

}  // namespace daybook
