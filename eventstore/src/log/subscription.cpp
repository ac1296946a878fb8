#include "daybook/eventstore/subscription.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "daybook/core/error.hpp"
#include "daybook/core/retries.hpp"
#include "daybook/eventstore/store_identity.hpp"
#include "values/log_check.hpp"

namespace daybook {

namespace {

using std::chrono::milliseconds;

/// How long a subscription waits before it looks again, whether it was woken or not.
constexpr milliseconds idle_wait{1'000};
/// What a page that waits keeps of the memory that it once took.
constexpr std::size_t page_bytes_kept_max = 2 * 1024 * 1024;

}  // namespace

Follower::Follower(EventStore store, FollowOptions options)
    : store_(std::move(store)),
      filter_(std::move(options.filter)),
      position_(options.after.position),
      point_(options.after) {}

std::optional<EventView> Follower::next(milliseconds timeout, std::stop_token stop) {
    const auto deadline = deadline_after(timeout);
    at_end_ = false;
    if (!begun_) begin();
    while (!stop.stop_requested()) {
        // Taken before looking, so that no commit is slept through.
        const std::uint64_t commits = store_.commits();
        if (row_ < page_.rows.size() || turn_page()) return take();
        if (!at_end_) continue;
        const milliseconds left = time_left(deadline);
        if (left == left.zero()) break;
        store_.wait_for_commit(commits, left, stop);
    }
    return std::nullopt;
}

/// Makes sure of the place to begin at, and of the log's identity.
void Follower::begin() {
    const PooledReader reader{store_.engine()};
    const ReaderSnapshot one_state{*reader};
    const EventId store = detail::store_identity(reader->sql());
    const EventId found = detail::event_at(reader->sql(), position_);
    if (!point_.event.is_nil() && found != point_.event) {
        detail::fail_other_log(store_.uri(), point_, store);
    }
    if (found.is_nil() && position_ > Position{0}) {
        detail::fail_beyond_head(store_.uri(), position_);
    }
    point_ = {position_, found, store};
    begun_ = true;
}

bool Follower::turn_page() {
    position_ = std::max(position_, page_.scanned_to);
    row_ = 0;
    try {
        store_.read_page({.from = position_.next().value(),
                          .filter = filter_.empty() ? nullptr : &filter_,
                          .known = &point_},
                         page_);
    } catch (...) {
        page_.clear();
        throw;
    }
    if (!page_.rows.empty()) return true;
    position_ = std::max(position_, page_.scanned_to);
    at_end_ = page_.at_end;
    // Not on the way: there it would be a look more for each page that the filter empties.
    if (at_end_ && point_.position < position_) move_point();
    if (at_end_ && page_.capacity() > page_bytes_kept_max) page_ = {};
    return false;
}

/// To the newest event that was passed, filtered as it is.
void Follower::move_point() {
    const PooledReader reader{store_.engine()};
    const ReaderSnapshot one_state{*reader};
    point_ = detail::advance_point(reader->sql(), store_.uri(), point_, position_);
}

EventView Follower::take() noexcept {
    const EventView event{page_.rows[row_++]};
    // Upcasters may have made several events of one; it is passed with the last of them.
    const bool passed = row_ == page_.rows.size() || page_.rows[row_].position != event.position();
    position_ = passed ? event.position() : Position{event.position().value() - 1};
    if (passed) point_ = {event.position(), event.id(), point_.store};
    return event;
}

std::string_view to_string(SubscriptionState state) noexcept {
    switch (state) {
        case SubscriptionState::catching_up: return "catching_up";
        case SubscriptionState::live: return "live";
        case SubscriptionState::waiting: return "waiting";
        case SubscriptionState::stopped: return "stopped";
        case SubscriptionState::failed: return "failed";
    }
    return "unknown";
}

struct Subscription::State {
    State(EventStore of, SubscriptionOptions chosen, SubscriptionHandler handle)
        : store(std::move(of)),
          options(std::move(chosen)),
          handler(std::move(handle)),
          position(options.after.position),
          point(options.after) {}

    void run() noexcept;
    void work();
    /// False if the handler has thrown.
    bool handle(EventView event);
    void wait_to_retry(milliseconds wait, const std::string& why);
    void advance(const Follower& follower);
    void end(SubscriptionState how, const std::string& why);
    /// Of the log, as far as it can be seen.
    Position look();
    bool ended() const noexcept {
        return state == SubscriptionState::stopped || state == SubscriptionState::failed;
    }

    // Constant after construction.
    EventStore store;
    const SubscriptionOptions options;
    const SubscriptionHandler handler;
    std::stop_source stop;

    std::mutex thread_mutex;
    std::thread thread;  ///< under thread_mutex

    mutable std::mutex mutex;
    mutable std::condition_variable_any changed;
    Position position;  ///< under mutex, as all below
    LogPoint point;
    Position head;  ///< as last seen
    SubscriptionState state = SubscriptionState::catching_up;
    std::string last_error;

    /// The one whose handler this thread is running.
    static thread_local const State* running;
};

thread_local const Subscription::State* Subscription::State::running = nullptr;

void Subscription::State::run() noexcept {
    running = this;
    try {
        work();
    } catch (const std::exception& error) {
        end(SubscriptionState::failed, error.what());
    } catch (...) {
        end(SubscriptionState::failed, "something that is not a std::exception was thrown");
    }
}

void Subscription::State::work() {
    Follower follower{store, {.after = options.after, .filter = options.filter}};
    Retries retries{options.retry};
    const std::stop_token stopped = stop.get_token();
    while (!stopped.stop_requested()) {
        const std::uint64_t commits = store.commits();
        std::optional<EventView> event;
        try {
            event = follower.next(milliseconds::zero(), stopped);
            retries.succeeded();
        } catch (const std::exception& error) {
            const auto wait = retries.after(error);
            if (!wait) return end(SubscriptionState::failed, error.what());
            wait_to_retry(*wait, error.what());
            continue;
        }
        if (event && !handle(*event)) return;
        advance(follower);
        if (!event) store.wait_for_commit(commits, idle_wait, stopped);
    }
    end(SubscriptionState::stopped, {});
}

bool Subscription::State::handle(EventView event) {
    const auto fail = [&](const std::string& why) {
        end(SubscriptionState::failed, "the handler failed at position " +
                                           std::to_string(event.position().value()) + ", '" +
                                           std::string(event.type()) + "' of stream '" +
                                           std::string(event.stream()) + "': " + why);
        return false;
    };
    try {
        handler(event);
        return true;
    } catch (const std::exception& error) {
        return fail(error.what());
    } catch (...) {
        return fail("something that is not a std::exception was thrown");
    }
}

void Subscription::State::wait_to_retry(milliseconds wait, const std::string& why) {
    std::unique_lock lock{mutex};
    if (last_error != why) {
        lock.unlock();
        // Said before it is shown: who sees that it waits finds the reason in the log.
        store.log(LogLevel::warning, "subscription '" + options.name + "' waits: " + why);
        lock.lock();
    }
    state = SubscriptionState::waiting;
    last_error = why;
    changed.notify_all();
    changed.wait_for(lock, stop.get_token(), wait, [] { return false; });
}

void Subscription::State::advance(const Follower& follower) {
    {
        const std::scoped_lock lock{mutex};
        const auto now = follower.at_end()                     ? SubscriptionState::live
                         : state == SubscriptionState::waiting ? SubscriptionState::catching_up
                                                               : state;
        const bool same = follower.position() == position && follower.point() == point;
        if (same && now == state && last_error.empty()) return;
        position = follower.position();
        point = follower.point();
        state = now;
        last_error.clear();
    }
    changed.notify_all();
}

void Subscription::State::end(SubscriptionState how, const std::string& why) {
    if (how == SubscriptionState::failed) {
        store.log(LogLevel::error, "subscription '" + options.name + "' has ended: " + why);
    }
    {
        const std::scoped_lock lock{mutex};
        state = how;
        last_error = why;
    }
    changed.notify_all();
}

Position Subscription::State::look() {
    Position seen;
    try {
        seen = store.head();
    } catch (const std::exception&) {
        // The thread that reads meets the same error, and says so.
        const std::scoped_lock lock{mutex};
        return head;
    }
    const std::scoped_lock lock{mutex};
    return head = seen;
}

Subscription::Subscription(EventStore store, SubscriptionOptions options,
                           SubscriptionHandler handler)
    : state_(std::make_shared<State>(std::move(store), std::move(options), std::move(handler))) {
    // The thread keeps the state: the handler may destroy the subscription.
    state_->thread = std::thread{[state = state_] { state->run(); }};
}

Subscription::~Subscription() {
    if (!state_) return;
    stop();
    if (State::running == state_.get()) state_->thread.detach();
}

Subscription::Subscription(Subscription&&) noexcept = default;

Subscription& Subscription::operator=(Subscription&& other) noexcept {
    Subscription taken{std::move(other)};
    std::swap(state_, taken.state_);
    return *this;
}

Position Subscription::position() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->position;
}

LogPoint Subscription::point() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->point;
}

SubscriptionState Subscription::state() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->state;
}

std::string Subscription::last_error() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->last_error;
}

std::uint64_t Subscription::lag() const {
    const Position handled = position();
    const Position head = state_->look();
    return head > handled ? head.value() - handled.value() : 0;
}

bool Subscription::wait_for(Position position, milliseconds timeout) const {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait_for(lock, bounded_wait(timeout),
                             [&] { return state_->position >= position || state_->ended(); });
    return state_->position >= position;
}

void Subscription::stop() {
    state_->stop.request_stop();
    if (State::running == state_.get()) return;
    const std::scoped_lock lock{state_->thread_mutex};
    if (state_->thread.joinable()) state_->thread.join();
}

Subscription subscribe(EventStore store, SubscriptionOptions options, SubscriptionHandler handler) {
    return {std::move(store), std::move(options), std::move(handler)};
}

}  // namespace daybook
