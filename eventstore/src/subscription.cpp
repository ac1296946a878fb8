#include "daybook/eventstore/subscription.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "daybook/core/error.hpp"

namespace daybook {

namespace {

using std::chrono::milliseconds;

/// How long a subscription waits before it looks again, whether it was woken or not.
constexpr milliseconds idle_wait{1'000};

milliseconds until(std::chrono::steady_clock::time_point deadline) {
    return std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
}

}  // namespace

Follower::Follower(EventStore store, FollowOptions options)
    : store_(std::move(store)), filter_(std::move(options.filter)), position_(options.after) {}

std::optional<EventView> Follower::next(milliseconds timeout, std::stop_token stop) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    at_end_ = false;
    while (!stop.stop_requested()) {
        // Taken before looking, so that no commit is slept through.
        const std::uint64_t commits = store_.commits();
        if (row_ < page_.rows.size() || turn_page()) return take();
        if (!at_end_) continue;
        const milliseconds left = until(deadline);
        if (left <= left.zero()) break;
        store_.wait_for_commit(commits, left, stop);
    }
    return std::nullopt;
}

bool Follower::turn_page() {
    position_ = std::max(position_, page_.scanned_to);
    row_ = 0;
    try {
        store_.read_page(
            {.from = position_.next().value(), .filter = filter_.empty() ? nullptr : &filter_},
            page_);
    } catch (...) {
        page_.clear();
        throw;
    }
    if (!page_.rows.empty()) return true;
    position_ = std::max(position_, page_.scanned_to);
    at_end_ = page_.at_end;
    return false;
}

EventView Follower::take() noexcept {
    const EventView event{page_.rows[row_++]};
    // Upcasters may have made several events of one; it is passed with the last of them.
    const bool passed = row_ == page_.rows.size() || page_.rows[row_].position != event.position();
    position_ = passed ? event.position() : Position{event.position().value() - 1};
    return event;
}

std::string_view to_string(SubscriptionState state) noexcept {
    switch (state) {
        case SubscriptionState::catching_up: return "catching_up";
        case SubscriptionState::live: return "live";
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
          position(options.after) {}

    void run();
    void handle(EventView event) const;
    void wait_to_retry(int failures, const std::string& why);
    void advance(Position to, bool at_end);
    void end(SubscriptionState how, const std::string& why);
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
    SubscriptionState state = SubscriptionState::catching_up;
    std::string last_error;

    /// The one whose handler this thread is running.
    static thread_local const State* running;
};

thread_local const Subscription::State* Subscription::State::running = nullptr;

void Subscription::State::run() try {
    running = this;
    Follower follower{store, {.after = options.after, .filter = options.filter}};
    const std::stop_token stopped = stop.get_token();
    int failures = 0;
    while (!stopped.stop_requested()) {
        const std::uint64_t commits = store.commits();
        std::optional<EventView> event;
        try {
            event = follower.next(milliseconds::zero(), stopped);
            failures = 0;
        } catch (const UnavailableError& error) {
            if (options.retry.exhausted(++failures)) throw;
            wait_to_retry(failures, error.what());
            continue;
        }
        if (event) handle(*event);
        advance(follower.position(), follower.at_end());
        if (!event) store.wait_for_commit(commits, idle_wait, stopped);
    }
    end(SubscriptionState::stopped, {});
} catch (const std::exception& error) {
    end(SubscriptionState::failed, error.what());
} catch (...) {
    end(SubscriptionState::failed, "something that is not a std::exception was thrown");
}

void Subscription::State::handle(EventView event) const {
    try {
        handler(event);
    } catch (const std::exception& error) {
        throw std::runtime_error("the handler failed at position " +
                                 std::to_string(event.position().value()) + ", '" +
                                 std::string(event.type()) + "' of stream '" +
                                 std::string(event.stream()) + "': " + error.what());
    }
}

void Subscription::State::wait_to_retry(int failures, const std::string& why) {
    std::unique_lock lock{mutex};
    last_error = why;
    changed.wait_for(lock, stop.get_token(), options.retry.delay(failures), [] { return false; });
}

void Subscription::State::advance(Position to, bool at_end) {
    {
        const std::scoped_lock lock{mutex};
        const auto now = at_end ? SubscriptionState::live : state;
        if (to == position && now == state && last_error.empty()) return;
        position = to;
        state = now;
        last_error.clear();
    }
    changed.notify_all();
}

void Subscription::State::end(SubscriptionState how, const std::string& why) {
    {
        const std::scoped_lock lock{mutex};
        state = how;
        last_error = why;
    }
    changed.notify_all();
    if (how == SubscriptionState::failed) {
        store.log(LogLevel::error, "subscription '" + options.name + "' has ended: " + why);
    }
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
    const Position head = state_->store.head();
    return head > handled ? head.value() - handled.value() : 0;
}

bool Subscription::wait_for(Position position, milliseconds timeout) const {
    std::unique_lock lock{state_->mutex};
    state_->changed.wait_for(lock, timeout,
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
