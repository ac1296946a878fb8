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

/// An append, or a unit, in the queue.
struct CommitQueue::Waiter {
    Waiter(const AppendRequest* asked, Bell& leaders_bell) : request(asked), bell(leaders_bell) {}
    virtual ~Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Its verdict is there. The waiter may be gone afterwards.
    virtual void finish() noexcept = 0;
    virtual bool is_outstanding() const noexcept = 0;

    const AppendRequest* const request;  ///< none: wants the transaction for itself
    Bell& bell;                          ///< of the thread that leads for it
    bool leads = false;                  ///< written before that is rung
    std::optional<AppendOutcome> outcome{};
    std::exception_ptr error{};
};

struct CommitQueue::BlockingWaiter final : Waiter {
    explicit BlockingWaiter(const AppendRequest* asked) : Waiter(asked, own_bell) {}

    void finish() noexcept override { own_bell.ring(); }
    bool is_outstanding() const noexcept override { return false; }

    Bell own_bell;
};

struct CommitQueue::AsyncWaiter final : Waiter {
    AsyncWaiter(OwnedAppend given, Bell& committers_bell)
        : Waiter(&owned_request, committers_bell), append(std::move(given)) {}

    void finish() noexcept override {
        const std::unique_ptr<AsyncWaiter> gone_afterwards{this};
        if (!error && std::holds_alternative<Conflict>(*outcome)) {
            error = std::make_exception_ptr(ConflictError(std::get<Conflict>(std::move(*outcome))));
        }
        if (error) return promise.set_exception(error);
        promise.set_value(std::get<AppendResult>(*outcome));
    }
    bool is_outstanding() const noexcept override { return true; }

    const OwnedAppend append;
    const AppendRequest owned_request{
        append.stream, append.expected, append.events, append.recorded_at, {}};
    std::promise<AppendResult> promise;
};

void CommitQueue::Bell::wait() noexcept {
    while (sem_wait(&rung_) != 0) {}
}

void CommitQueue::Bell::wait_at_most(std::chrono::nanoseconds time) noexcept {
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const auto nanoseconds = until.tv_nsec + time.count();
    constexpr long second = 1'000'000'000;
    until.tv_sec += nanoseconds / second;
    until.tv_nsec = nanoseconds % second;
    while (sem_clockwait(&rung_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {}
}

CommitQueue::~CommitQueue() {
    if (!committer_.joinable()) return;
    {
        const std::scoped_lock lock{mutex_};
        closed_ = true;
    }
    committer_bell_.ring();
    committer_.join();
}

AppendOutcome CommitQueue::append(const AppendRequest& request) {
    BlockingWaiter self{&request};
    wait_for_turn(self);
    if (self.leads) lead(self);
    if (self.error) std::rethrow_exception(self.error);
    return *self.outcome;
}

std::future<AppendResult> CommitQueue::append_async(OwnedAppend append) {
    auto waiter = std::make_unique<AsyncWaiter>(std::move(append), committer_bell_);
    auto result = waiter->promise.get_future();
    std::unique_lock lock{mutex_};
    if (!committer_.joinable()) committer_ = std::thread{[this] { commit_outstanding(); }};
    room_.wait(lock, [this] { return outstanding_ < outstanding_max; });
    if (enqueue(*waiter)) committer_bell_.ring();
    ++outstanding_;
    // It is the queue's until it is finished.
    static_cast<void>(waiter.release());
    return result;
}

void CommitQueue::commit_outstanding() {
    while (true) {
        {
            // Who gathers may have taken the ring that says so for one that ends the gathering.
            const std::scoped_lock lock{mutex_};
            if (closed_ && queue_.empty()) return;
        }
        committer_bell_.wait();
        Waiter* leader = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            // A gathering that was over already may have rung as well.
            if (queue_.empty() || !queue_.front()->is_outstanding()) continue;
            leader = queue_.front();
        }
        lead(*leader);
        leader->finish();
    }
}

void CommitQueue::lead(Waiter& leader) {
    gather(leader);
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

void CommitQueue::transact(const std::function<void(WriteTransaction&)>& unit) {
    BlockingWaiter self{nullptr};
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

bool CommitQueue::enqueue(Waiter& waiter) {
    queue_.push_back(&waiter);
    if (returning_ > 0) --returning_;
    // Nobody behind one who wants to be alone can join.
    const bool complete = returning_ == 0 || waiter.request == nullptr;
    if (gathering_ && complete) {
        gathering_ = false;
        queue_.front()->bell.ring();
    }
    waiter.leads = queue_.front() == &waiter;
    return waiter.leads;
}

void CommitQueue::wait_for_turn(BlockingWaiter& waiter) {
    {
        const std::scoped_lock lock{mutex_};
        if (enqueue(waiter)) return;
    }
    waiter.own_bell.wait();
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
    leader.bell.wait_at_most(patience);
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
    std::vector<Waiter*> left(group.begin(), group.end());
    while (!left.empty() && !try_one_by_one(left)) {
        std::erase_if(left, [](const Waiter* waiter) { return waiter->error != nullptr; });
    }
}

bool CommitQueue::try_one_by_one(const std::vector<Waiter*>& group) {
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
            // The savepoint went with the transaction (a hook ran INSERT OR ROLLBACK, the disk is
            // full); that is no reason to refuse the others.
            return false;
        }
    }
    transaction->commit();
    return true;
}

void CommitQueue::finish(std::size_t group_size) {
    std::vector<Waiter*> followers;
    {
        const std::scoped_lock lock{mutex_};
        const auto size = static_cast<std::ptrdiff_t>(group_size);
        const auto end = queue_.begin() + size;
        const auto told = std::count_if(
            queue_.begin(), end, [](const Waiter* waiter) { return waiter->is_outstanding(); });
        followers.assign(queue_.begin() + 1, end);
        queue_.erase(queue_.begin(), end);
        returning_ = group_size;
        if (told > 0) {
            outstanding_ -= static_cast<std::size_t>(told);
            room_.notify_all();
        }
        // The next leader goes to work before this group is told, so the disk never idles.
        if (!queue_.empty()) {
            queue_.front()->leads = true;
            queue_.front()->bell.ring();
        }
    }
    for (Waiter* follower : followers) follower->finish();
}

}  // namespace daybook
