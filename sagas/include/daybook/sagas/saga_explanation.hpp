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
    skip,      ///< pass over the current step; it is not undone later
    complete,  ///< the current step was done by hand, with this reply
    cancel,    ///< go back
};

std::string_view to_string(SagaAction action) noexcept;

/// A message of a saga that lies among the dead letters. Until it is replayed or discarded there,
/// nothing of the saga goes through its topic.
struct SagaDeadLetter {
    EventId id;
    std::string topic{};
    std::string type{};
    std::string reason{};  ///< `exhausted`: see ParkReason
    std::string error{};   ///< of the last attempt
};

/// Where a saga stands, for people and for programs.
struct SagaExplanation {
    SagaState state;
    /// Of the journal: hand it to an operator's action, so that it meets the saga as it was seen.
    Version journal_version;
    /// `the answer to charge, attempt 2`; empty once it has ended.
    std::string waiting_for;
    std::optional<Timestamp> since;
    std::optional<Timestamp> until;  ///< when a timer will act; nothing: it waits without limit
    std::vector<SagaAction> legal_actions;
    std::vector<SagaDeadLetter> dead_letters{};
    /// Events in its journal that are no entries of one; they are passed over.
    std::size_t foreign_events = 0;

    /// All of it as a few lines of text.
    std::string text() const;
};

/// One line of a list.
struct SagaSummary {
    SagaId id;
    int generation = 1;
    int version = 1;   ///< of its definition
    std::string hash;  ///< of its definition
    SagaStatus status = SagaStatus::running;
    std::string step;   ///< the current one, or empty
    std::string error;  ///< why it went back or is an incident, or empty
    std::optional<Timestamp> waiting_since;
    std::optional<Timestamp> due_at;
    Timestamp updated_at{};
};

/// An event that could start neither a saga nor an incident in its place.
struct SagaFailedStart {
    std::string definition;
    Position event;
    std::string error;
    Timestamp failed_at{};
};

/// One input of a saga, as its journal has it.
struct SagaHistoryEntry {
    Version version;
    Timestamp at{};
    int generation = 1;
    std::string type;                         ///< `saga.replied`
    SagaStatus status = SagaStatus::running;  ///< after it
    std::string text;                         ///< what it was, as a sentence
    std::string input;                        ///< the same with all its parts, as JSON
};

}  // namespace daybook
