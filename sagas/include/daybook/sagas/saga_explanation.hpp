#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/sagas/saga_state.hpp"

namespace daybook {

/// What an operator can do to a saga by hand.
enum class SagaAction {
    retry,     ///< try again now, with a fresh budget
    skip,      ///< leave out the current step; it is not undone later
    complete,  ///< the current step was done by hand, with this reply
    cancel,    ///< compensate
};

/// The name of the action: `retry`.
std::string_view to_string(SagaAction action) noexcept;

/// A parked message of a saga. Until it is replayed or discarded, no other message of the saga is
/// delivered to its topic.
struct SagaDeadLetter {
    EventId id;
    std::string topic{};
    std::string type{};
    std::string reason{};  ///< `exhausted`: see ParkReason
    std::string error{};   ///< of the last attempt
};

/// The state of a saga, for operators and for programs.
struct SagaExplanation {
    SagaState state;
    /// Pass it to an operator's action, which then fails if the saga has changed since.
    Version journal_version;
    /// `the answer to charge, attempt 2`; empty once it has ended.
    std::string waiting_for;
    std::optional<Timestamp> since;
    std::optional<Timestamp> until;  ///< when a timer fires; nothing: it waits without limit
    std::vector<SagaAction> legal_actions;
    std::vector<SagaDeadLetter> dead_letters{};
    /// Events in its stream that are not journal entries; they are skipped.
    std::size_t foreign_events = 0;

    /// All of it as a few lines of text.
    std::string text() const;
};

/// One saga in a list.
struct SagaSummary {
    SagaId id;
    int generation = 1;
    int version = 1;   ///< of its definition
    std::string hash;  ///< of its definition
    SagaStatus status = SagaStatus::running;
    std::string step;   ///< the current one, or empty
    std::string error;  ///< why it compensates or is an incident, or empty
    std::optional<Timestamp> waiting_since;
    std::optional<Timestamp> due_at;
    Timestamp updated_at{};
};

/// An event for which neither a saga nor, instead of it, an incident could be stored.
struct SagaFailedStart {
    std::string definition;
    Position event;
    std::string error;
    Timestamp failed_at{};
};

/// One input of a saga, as recorded in its journal.
struct SagaHistoryEntry {
    Version version;
    Timestamp at{};
    int generation = 1;
    std::string type;                         ///< `saga.replied`
    SagaStatus status = SagaStatus::running;  ///< after it
    std::string text;                         ///< what happened, as a sentence
    std::string input;                        ///< all fields of the input, as JSON
};

}  // namespace daybook
