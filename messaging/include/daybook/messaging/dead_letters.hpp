#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// Why a message was parked.
enum class ParkReason {
    rejected,   ///< its receiver will never take it
    unhandled,  ///< no program took it for as long as it was left to them
    exhausted,  ///< the last attempt failed
    crashed,    ///< the process died at every attempt
};

std::string_view to_string(ParkReason reason) noexcept;

/// A message that could not be delivered, with all that is known about why.
struct DeadLetter {
    std::uint64_t number = 0;  ///< counts in the order of parking
    Message message;           ///< its `attempt` is the number of attempts that were made
    ParkReason reason = ParkReason::rejected;
    std::string error;      ///< of the last attempt; a cause stands on a line of its own
    std::string receiver;   ///< who failed or refused, if that is known
    std::string parked_by;  ///< the relay
    Timestamp parked_at{};
    std::size_t holds = 0;  ///< messages in the outbox that wait behind it
};

/// Which dead letters are meant; what is empty does not matter.
struct DeadLetterFilter {
    std::optional<EventId> id{};
    std::string_view topic{};
    std::string_view key{};
    /// Oldest first, no more than these: a unit of work has a limit.
    std::size_t limit = 1'000;
    bool with_data = true;  ///< of what is listed; else the messages' data is empty
};

/// What `DeadLetters::replay` did.
struct Replayed {
    std::vector<EventId> ids{};  ///< of those that it put back, in their order
    /// Those that stay parked, as another message waits in the outbox under their id: discard one
    /// of the two.
    std::vector<EventId> refused{};
};

/// The messages of a store that were parked, until somebody replays or discards them.
///
///     DeadLetters letters{store};
///     for (const DeadLetter& letter : letters.list({.topic = "warehouse"})) show(letter);
///     letters.replay({.key = "order-7"});
///
/// Throws InvalidError for a topic or key that is not UTF-8. Thread-safe.
class DeadLetters {
public:
    explicit DeadLetters(EventStore store) : store_(std::move(store)) {}

    std::vector<DeadLetter> list(const DeadLetterFilter& filter = {}) const;
    /// The same, one after another, as `outbox_each`.
    void each(const DeadLetterFilter& filter,
              const std::function<void(const DeadLetter&)>& visit) const;
    std::optional<DeadLetter> find(const EventId& id) const;

    /// What `replay` or `discard` with this filter would touch.
    std::vector<EventId> dry_run(const DeadLetterFilter& filter) const;
    /// Puts them back into the outbox with a fresh number of attempts, in the order of parking and
    /// before all newer messages of their keys. One that was published again since, as it was, is
    /// one message with the one that waits, and gets the place of a replayed one. Throws
    /// NotFoundError if none is parked of an id, topic or key that is given, DuplicateError if all
    /// that are meant are refused.
    Replayed replay(const DeadLetterFilter& filter);
    /// Gives them up: they will not be delivered, and what waited behind them goes on. The record
    /// stays, with the reason, until `purge_discarded`. Returns their ids. Throws InvalidError
    /// without a reason, NotFoundError as `replay`.
    std::vector<EventId> discard(const DeadLetterFilter& filter, std::string_view reason);
    /// Forgets what was discarded before `before`; parked messages stay. Returns how many.
    std::size_t purge_discarded(Timestamp before);

private:
    EventStore store_;
};

}  // namespace daybook
