#include "daybook/eventstore/subscription.hpp"

#include <algorithm>
#include <exception>

#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "values/log_check.hpp"

namespace daybook {

namespace {

using std::chrono::milliseconds;

/// How long a subscription waits before it reads again without a wake-up.
constexpr milliseconds idle_wait{1'000};
/// While the subscription waits, its page keeps at most this much memory.
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
    if (!started_) start();
    while (!stop.stop_requested()) {
        // The count is taken before reading. Otherwise a commit between the two would not end the
        // wait.
        const std::uint64_t commits = store_.commits();
        if (row_ < page_.rows.size() || read_page()) return take();
        if (!at_end_) continue;
        const milliseconds left = time_left(deadline);
        if (left == left.zero()) break;
        store_.wait_for_commit(commits, left, stop);
    }
    return std::nullopt;
}

/// Checks that the log holds the event to start after, and notes the store's identity.
void Follower::start() {
    const PooledReader reader{detail::engine_of(store_)};
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
    started_ = true;
}

bool Follower::read_page() {
    position_ = std::max(position_, page_.scanned_to);
    row_ = 0;
    try {
        detail::read_page(store_,
                          {.from = position_.next().value(),
                           .filter = filter_.empty() ? nullptr : &filter_,
                           .last_read = &point_},
                          page_);
    } catch (...) {
        page_.clear();
        throw;
    }
    if (!page_.rows.empty()) return true;
    position_ = std::max(position_, page_.scanned_to);
    at_end_ = page_.at_end;
    // Only at the end: in between it would cost one more read for each page that the filter
    // empties.
    if (at_end_ && point_.position < position_) advance_point();
    if (at_end_ && page_.capacity() > page_bytes_kept_max) page_ = {};
    return false;
}

/// Moves the point to the newest event that was passed, even if the filter dropped it.
void Follower::advance_point() {
    const PooledReader reader{detail::engine_of(store_)};
    const ReaderSnapshot one_state{*reader};
    point_ = detail::advance_point(reader->sql(), store_.uri(), point_, position_);
}

EventView Follower::take() noexcept {
    const EventView event{page_.rows[row_++]};
    // Upcasters may have made several events of one. It is passed with the last of them: a reader
    // that starts again at a position before that would otherwise miss the rest.
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
    State(EventStore event_store, SubscriptionOptions subscription_options,
          SubscriptionHandler event_handler)
        : store(std::move(event_store)),
          options(std::move(subscription_options)),
          handler(std::move(event_handler)),
          follower(store, {.after = options.after, .filter = options.filter}),
          position(options.after.position),
          point(options.after),
          worker(store, {.name = "subscription '" + options.name + "'",
                         .retry = options.retry,
                         .may_fail = true,
                         .on_wait =
                             [this](const auto& why) {
                                 set_state(SubscriptionState::waiting, error_text(why));
                             },
                         .on_failure =
                             [this](const auto& why) {
                                 set_state(SubscriptionState::failed, error_text(why));
                             },
                         .on_stop = [this] { set_state(SubscriptionState::stopped, {}); }}) {}

    /// Calls the handler with the next event, if there is one.
    NextStep step(const std::stop_token& stop);
    /// Calls the handler. Returns what it has thrown, if it has, with the event named.
    std::exception_ptr handle(EventView event) const;
    void advance();
    void set_state(SubscriptionState now, const std::string& why);
    /// The head of the log; as last read if the store cannot be reached.
    Position read_head();
    bool ended() const noexcept DAYBOOK_REQUIRES(mutex) {
        return state == SubscriptionState::stopped || state == SubscriptionState::failed;
    }

    // Constant after construction.
    EventStore store;
    const SubscriptionOptions options;
    const SubscriptionHandler handler;

    Follower follower;  ///< used by the worker alone

    mutable Mutex mutex;
    mutable ConditionVariable changed;
    Position position DAYBOOK_GUARDED_BY(mutex);
    LogPoint point DAYBOOK_GUARDED_BY(mutex);
    Position head DAYBOOK_GUARDED_BY(mutex);  ///< as last seen
    SubscriptionState state DAYBOOK_GUARDED_BY(mutex) = SubscriptionState::catching_up;
    std::string last_error DAYBOOK_GUARDED_BY(mutex);

    Worker worker;
};

NextStep Subscription::State::step(const std::stop_token& stop) {
    const std::optional<EventView> event = follower.next(milliseconds::zero(), stop);
    if (event) {
        if (auto error = handle(*event)) return NextStep::never(std::move(error));
    }
    advance();
    return event ? NextStep::now() : NextStep::after_commit(idle_wait);
}

std::exception_ptr Subscription::State::handle(EventView event) const {
    try {
        handler(event);
        return nullptr;
    } catch (...) {
        return std::make_exception_ptr(InvalidError(
            "the handler failed at position " + std::to_string(event.position().value()) + ", '" +
            std::string(event.type()) + "' of stream '" + std::string(event.stream()) +
            "': " + error_text(std::current_exception())));
    }
}

void Subscription::State::advance() {
    {
        const MutexLock lock{mutex};
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

void Subscription::State::set_state(SubscriptionState now, const std::string& why) {
    {
        const MutexLock lock{mutex};
        state = now;
        last_error = why;
    }
    changed.notify_all();
}

Position Subscription::State::read_head() {
    Position seen;
    try {
        seen = store.head();
    } catch (const std::exception&) {
        // The worker meets the same error and reports it.
        const MutexLock lock{mutex};
        return head;
    }
    const MutexLock lock{mutex};
    return head = seen;
}

Subscription::Subscription(EventStore store, SubscriptionOptions options,
                           SubscriptionHandler handler)
    : state_(std::make_shared<State>(std::move(store), std::move(options), std::move(handler))) {
    // The worker shares the state, because the handler may destroy the subscription.
    state_->worker.start([state = state_](const auto& stop) { return state->step(stop); });
}

Subscription::~Subscription() {
    if (state_) stop();
}

Subscription::Subscription(Subscription&&) noexcept = default;

Subscription& Subscription::operator=(Subscription&& other) noexcept {
    Subscription taken{std::move(other)};
    std::swap(state_, taken.state_);
    return *this;
}

Position Subscription::position() const {
    const MutexLock lock{state_->mutex};
    return state_->position;
}

LogPoint Subscription::point() const {
    const MutexLock lock{state_->mutex};
    return state_->point;
}

SubscriptionState Subscription::state() const {
    const MutexLock lock{state_->mutex};
    return state_->state;
}

std::string Subscription::last_error() const {
    const MutexLock lock{state_->mutex};
    return state_->last_error;
}

std::uint64_t Subscription::lag() const {
    const Position handled = position();
    const Position head = state_->read_head();
    return head > handled ? head.value() - handled.value() : 0;
}

bool Subscription::wait_for(Position position, milliseconds timeout) const {
    const auto deadline = deadline_after(timeout);
    MutexLock lock{state_->mutex};
    while (state_->position < position && !state_->ended() &&
           state_->changed.wait_until(lock, deadline) == std::cv_status::no_timeout) {}
    return state_->position >= position;
}

void Subscription::stop() { state_->worker.stop(); }

Subscription subscribe(EventStore store, SubscriptionOptions options, SubscriptionHandler handler) {
    return {std::move(store), std::move(options), std::move(handler)};
}

}  // namespace daybook
