#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "daybook/core/backoff.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// Where to begin and what to see.
struct FollowOptions {
    /// The events after this position: where an earlier one ended, or `store.head()` for new ones
    /// only.
    Position after = 0;
    EventFilter filter{};
};

/// Goes through the log and, at its end, waits for more: each event once, in order, whether it was
/// there before or comes later, from this or another process. For programs with a loop of their
/// own.
///
///     Follower follower{store, {.after = seen}};
///     while (const auto event = follower.next(1s)) handle(*event);
///
/// Holds no lock while it waits. Not thread-safe.
class Follower {
public:
    explicit Follower(EventStore store, FollowOptions options = {});

    /// The next event, valid until the next call. Waits for it up to `timeout`, or until `stop`;
    /// then nothing. Zero does not wait. Throws what reading throws; the next call then goes on.
    std::optional<EventView> next(std::chrono::milliseconds timeout, std::stop_token stop = {});

    /// Everything up to here was returned by `next` or did not match the filter: a new Follower
    /// after this position goes on without gap and repetition.
    Position position() const noexcept { return position_; }
    /// The last call to `next` has seen the end of the log.
    bool at_end() const noexcept { return at_end_; }

private:
    bool turn_page();
    EventView take() noexcept;

    EventStore store_;
    EventFilter filter_;
    Position position_;
    EventPage page_;
    std::size_t row_ = 0;  // in page_, the next one to return
    bool at_end_ = false;
};

struct SubscriptionOptions {
    /// What logs and errors call it.
    std::string name = "subscription";
    /// The events after this position: where an earlier one ended, or `store.head()` for new ones
    /// only.
    Position after = 0;
    EventFilter filter{};
    /// For a log that cannot be read just now; the handler is never called twice for one event.
    Backoff retry =
        exponential{std::chrono::milliseconds{50}, 2.0, std::chrono::seconds{5}}.attempts(10);
};

enum class SubscriptionState {
    catching_up,  ///< on its way to the end of the log
    live,         ///< has been there, and is woken by what is appended
    stopped,      ///< on request
    failed,       ///< by an error: see `last_error()`
};

std::string_view to_string(SubscriptionState state) noexcept;

/// Called for one event after another, on the subscription's thread.
using SubscriptionHandler = std::function<void(EventView)>;

/// A Follower on a thread of its own. Its functions may be called from any thread.
class Subscription {
public:
    Subscription(EventStore store, SubscriptionOptions options, SubscriptionHandler handler);
    ~Subscription();  ///< stops it
    Subscription(Subscription&&) noexcept;
    Subscription& operator=(Subscription&&) noexcept;

    /// Everything up to here was handled, or did not match the filter. To go on there later, keep
    /// it; to do that exactly once, keep it where the handler's effects are, in one unit.
    Position position() const;
    SubscriptionState state() const;
    /// Why it failed, or why reading is being retried; otherwise empty.
    std::string last_error() const;
    /// How many events of the log are beyond `position()`.
    std::uint64_t lag() const;

    /// Waits until `position()` has reached `position`. False after `timeout`, or if it ended
    /// before.
    bool wait_for(Position position, std::chrono::milliseconds timeout) const;

    /// Ends it after the event that is being handled and waits for that; called by the handler, it
    /// does not wait. A failed one stays `failed`.
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Calls `handler` for each event of the log: what is there, then what comes, without a gap and
/// without a repetition. What the handler throws ends the subscription as `failed`.
///
///     auto subscription = subscribe(store, {.name = "mailer", .filter = {.types =
///     {"order.placed"}}},
///                                   [&](EventView event) { mail(event.as<Placed>()); });
[[nodiscard]] Subscription subscribe(EventStore store, SubscriptionOptions options,
                                     SubscriptionHandler handler);

}  // namespace daybook
