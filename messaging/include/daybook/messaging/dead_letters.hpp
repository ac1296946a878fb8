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
    rejected,   ///< its receiver refused it for good
    unhandled,  ///< no program had a receiver for it within `RelayOptions::unhandled_wait_max`
    exhausted,  ///< the last attempt failed
    crashed,    ///< the process died at every attempt
};

/// The name of the reason: `exhausted`.
std::string_view to_string(ParkReason reason) noexcept;

/// A message that could not be delivered, with the reason.
struct DeadLetter {
    std::uint64_t number = 0;  ///< in the order of parking
    Message message;           ///< its `attempt` is the number of attempts made
    ParkReason reason = ParkReason::rejected;
    std::string error;      ///< of the last attempt; each nested cause is on its own line
    std::string receiver;   ///< the consumer that failed or refused, if known
    std::string parked_by;  ///< the relay's name
    Timestamp parked_at{};
    std::size_t holds = 0;  ///< messages of its key in the outbox that wait for it
};

/// Selects dead letters; an empty field matches all.
struct DeadLetterFilter {
    std::optional<EventId> id{};
    std::string_view topic{};
    std::string_view key{};
    /// Selects the oldest, so that one transaction stays bounded.
    std::size_t limit = 1'000;
    bool with_data = true;  ///< false: the listed messages have empty data
};

/// The result of `DeadLetters::replay`.
struct Replayed {
    std::vector<EventId> ids{};  ///< the replayed messages, in order
    /// Stay parked, because another message with the same id waits in the outbox: discard one of
    /// the two.
    std::vector<EventId> refused{};
};

/// The parked messages of a store. A message stays parked until it is replayed or discarded.
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
    /// The same, one at a time and in bounded memory, as `outbox_each`.
    void each(const DeadLetterFilter& filter,
              const std::function<void(const DeadLetter&)>& visit) const;
    std::optional<DeadLetter> find(const EventId& id) const;

    /// The messages that `replay` or `discard` with this filter would select.
    std::vector<EventId> dry_run(const DeadLetterFilter& filter) const;
    /// Moves them back to the outbox with a new budget of attempts, in the order of parking and
    /// before all newer messages of their keys. If the same message, with equal contents, was
    /// published again since, the two become one, in the order of the replayed one. Throws
    /// NotFoundError if the filter has an id, topic or key and selects nothing, DuplicateError if
    /// all selected messages are refused.
    Replayed replay(const DeadLetterFilter& filter);
    /// Gives them up: they are never delivered, and the messages that waited for them continue. The
    /// record stays, with the reason, until `purge_discarded`. Returns their ids. Throws
    /// InvalidError for an empty reason, NotFoundError as `replay`.
    std::vector<EventId> discard(const DeadLetterFilter& filter, std::string_view reason);
    /// Deletes the messages discarded before `before`; parked messages stay. Returns their number.
    std::size_t purge_discarded(Timestamp before);

private:
    EventStore store_;
};

}  // namespace daybook
