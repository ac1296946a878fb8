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
#include "daybook/eventstore/log_point.hpp"
#include "daybook/eventstore/read_options.hpp"

namespace daybook {

/// Where to start and which events to return.
struct FollowOptions {
    /// Starts after this event: the `point()` of an earlier Follower, or `store.head()` for new
    /// events only.
    LogPoint after{};
    EventFilter filter{};
};

/// Reads the log and, at its end, waits for new events. It returns each event once and in order,
/// whether it was stored before or is appended later, by this or another process. For programs with
/// a loop of their own.
///
///     Follower follower{store, {.after = seen}};
///     while (const auto event = follower.next(1s)) handle(*event);
///
/// It belongs to one log. If a backup was restored meanwhile, or another store took its place,
/// `next` throws InvalidError: reading on would mix the events of two logs. Holds no lock while it
/// waits. Not thread-safe.
class Follower {
public:
    explicit Follower(EventStore store, FollowOptions options = {});

    /// The next event, valid until the next call. Waits for it up to `timeout`, or until `stop` is
    /// requested, and then returns nothing. With a timeout of zero it does not wait. Throws what
    /// reading throws; the next call goes on from the same event. Throws InvalidError if the log
    /// does not hold the last event that was returned, or ends before the event to start after.
    std::optional<EventView> next(std::chrono::milliseconds timeout, std::stop_token stop = {});

    /// All events up to here were returned by `next` or did not match the filter. A new Follower
    /// that starts after this position continues without a gap or a repetition.
    Position position() const noexcept { return position_; }
    /// The same as a checkpoint that also identifies the log. May lag behind by events that do not
    /// match the filter.
    const LogPoint& point() const noexcept { return point_; }
    /// True if the last call of `next` has reached the end of the log.
    bool at_end() const noexcept { return at_end_; }

private:
    void start();
    bool read_page();
    void advance_point();
    EventView take() noexcept;

    EventStore store_;
    EventFilter filter_;
    Position position_;
    LogPoint point_;  // an event that was passed; not behind position_
    EventPage page_;
    std::size_t row_ = 0;  // in page_, the next one to return
    bool started_ = false;
    bool at_end_ = false;
};

/// Where a Subscription begins, what it sees, and how it waits.
struct SubscriptionOptions {
    /// How logs and errors name it.
    std::string name = "subscription";
    /// Starts after this event: the `point()` of an earlier subscription, or `store.head()` for new
    /// events only.
    LogPoint after{};
    EventFilter filter{};
    /// The waits while the log cannot be read. `attempts` has no effect: it never gives up. The
    /// handler is never called twice for one event.
    Backoff retry = exponential(std::chrono::milliseconds{50}, 2.0, std::chrono::seconds{5});
};

/// What a Subscription is doing.
enum class SubscriptionState {
    catching_up,  ///< on its way to the end of the log
    live,         ///< has reached the end, and is woken by appends
    waiting,      ///< the log cannot be read: see `last_error()`; it tries again
    stopped,      ///< on request
    failed,       ///< its handler has thrown, or an error lasts: see `last_error()`
};

/// The name of the state: `catching_up`.
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

    /// All events up to here were handled or did not match the filter.
    Position position() const;
    /// The same as a checkpoint that a later subscription can start after. To handle each event
    /// exactly once, store it in the same transaction as the effects of the handler.
    LogPoint point() const;
    SubscriptionState state() const;
    /// Why it failed, or what it waits for; otherwise empty.
    std::string last_error() const;
    /// How many events of the log are beyond `position()`, as of the last time that the log could
    /// be read.
    std::uint64_t lag() const;

    /// Waits until `position()` has reached `position`. False after `timeout`, or if the
    /// subscription ended before.
    bool wait_for(Position position, std::chrono::milliseconds timeout) const;

    /// Stops the subscription and waits until the event that is being handled is done; called by
    /// the handler, it does not wait. A failed subscription stays `failed`.
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Calls `handler` for each event of the log, first for the stored ones, then for new ones, without
/// a gap and without a repetition.
///
/// If the handler throws, the subscription ends as `failed`. If the store is unreachable, busy, a
/// standby or missing for a while, the subscription waits, logs it and goes on. It also ends if the
/// log is not the one that it has read (see LogPoint), because going on would skip events.
///
///     auto mailer = subscribe(store, {.name = "mailer", .filter = {.types = {"order.placed"}}},
///                             [&](EventView event) { mail(event.as<Placed>()); });
[[nodiscard]] Subscription subscribe(EventStore store, SubscriptionOptions options,
                                     SubscriptionHandler handler);

}  // namespace daybook
