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

/// Where to begin and what to see.
struct FollowOptions {
    /// The events after this one: the `point()` of an earlier one, or `store.head()` for new ones
    /// only.
    LogPoint after{};
    EventFilter filter{};
};

/// Goes through the log and, at its end, waits for more: each event once, in order, whether it was
/// there before or comes later, from this or another process. For programs with a loop of their
/// own.
///
///     Follower follower{store, {.after = seen}};
///     while (const auto event = follower.next(1s)) handle(*event);
///
/// It belongs to one log: when the store was put back from a backup meanwhile, or another one
/// stands in its place, `next` throws InvalidError instead of going on between the events of two.
/// Holds no lock while it waits. Not thread-safe.
class Follower {
public:
    explicit Follower(EventStore store, FollowOptions options = {});

    /// The next event, valid until the next call. Waits for it up to `timeout`, or until `stop`;
    /// then nothing. Zero does not wait. Throws what reading throws, and the next call then goes
    /// on; InvalidError if the log does not hold what was passed, or ends before the place to begin
    /// at.
    std::optional<EventView> next(std::chrono::milliseconds timeout, std::stop_token stop = {});

    /// Everything up to here was returned by `next` or did not match the filter: a new Follower
    /// after this position goes on without gap and repetition.
    Position position() const noexcept { return position_; }
    /// The same as a checkpoint by which the log is known again. May lag behind by events that do
    /// not match the filter.
    const LogPoint& point() const noexcept { return point_; }
    /// The last call to `next` has seen the end of the log.
    bool at_end() const noexcept { return at_end_; }

private:
    void begin();
    bool turn_page();
    void move_point();
    EventView take() noexcept;

    EventStore store_;
    EventFilter filter_;
    Position position_;
    LogPoint point_;  // an event that was passed; not behind position_
    EventPage page_;
    std::size_t row_ = 0;  // in page_, the next one to return
    bool begun_ = false;
    bool at_end_ = false;
};

/// Where a Subscription begins, what it sees, and how it waits.
struct SubscriptionOptions {
    /// What logs and errors call it.
    std::string name = "subscription";
    /// The events after this one: the `point()` of an earlier one, or `store.head()` for new ones
    /// only.
    LogPoint after{};
    EventFilter filter{};
    /// The waits while the log cannot be read. It does not give up, however many attempts this
    /// says; the handler is never called twice for one event.
    Backoff retry = exponential{std::chrono::milliseconds{50}, 2.0, std::chrono::seconds{5}};
};

/// What a Subscription is doing.
enum class SubscriptionState {
    catching_up,  ///< on its way to the end of the log
    live,         ///< has been there, and is woken by what is appended
    waiting,      ///< the log cannot be read just now: see `last_error()`; it tries again
    stopped,      ///< on request
    failed,       ///< by its handler, or an error that stays: see `last_error()`
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

    /// Everything up to here was handled, or did not match the filter.
    Position position() const;
    /// The same as a checkpoint: to go on there later, keep it; to do that exactly once, keep it
    /// where the handler's effects are, in one unit.
    LogPoint point() const;
    SubscriptionState state() const;
    /// Why it failed, or what it waits for; otherwise empty.
    std::string last_error() const;
    /// How many events of the log are beyond `position()`, as seen when the log could be read last.
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
/// without a repetition.
///
/// What the handler throws ends the subscription as `failed`. A store that is away, busy, a standby
/// or not there for a while does not: it waits, says so and goes on. A log that is another than the
/// one that was read (see LogPoint) ends it, as going on would pass over events.
///
///     auto mailer = subscribe(store, {.name = "mailer", .filter = {.types = {"order.placed"}}},
///                             [&](EventView event) { mail(event.as<Placed>()); });
[[nodiscard]] Subscription subscribe(EventStore store, SubscriptionOptions options,
                                     SubscriptionHandler handler);

}  // namespace daybook
