#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"

namespace daybook {

/// Identifies a saga: a definition has one instance per key. Once that instance has ended, the key
/// may be used again; the next instance has the next *generation*.
struct SagaId {
    std::string definition;  ///< `fulfil-order`
    std::string key;         ///< `10248`

    /// `fulfil-order/10248`: used in texts, and as the key of all its messages.
    std::string to_string() const { return definition + "/" + key; }
    auto operator<=>(const SagaId&) const = default;
};

/// The stream that holds the journal of a saga: `saga-fulfil-order:10248`. Throws InvalidError for
/// an invalid stream name.
StreamName saga_stream(const SagaId& id);

/// Where a saga stands.
enum class SagaStatus {
    running,       ///< goes forward
    compensating,  ///< undoes its steps, the newest first
    completed,     ///< ended: every step was done or skipped
    compensated,   ///< ended: every completed step is undone
    failed,        ///< ended: nothing had to be undone, or an operator gave up an undo
    cancelled,     ///< ended on request: every completed step is undone
    incident,      ///< waits for an operator
};

/// The name of the status: `compensating`.
std::string_view to_string(SagaStatus status) noexcept;
/// Throws InvalidError if no status has this name.
SagaStatus parse_saga_status(std::string_view name);
/// Completed, compensated, failed or cancelled.
bool has_ended(SagaStatus status) noexcept;

/// How a step is compensated. Every step of a definition declares it.
enum class Reversibility {
    undo,       ///< by a command that undoes it
    pivot,      ///< not at all: until here the saga may compensate, from here on only go forward
    retriable,  ///< need not be: it is retried until it succeeds
    read_only,  ///< it changes nothing
};

/// The name as a text has it: `read-only`.
std::string_view to_string(Reversibility reversibility) noexcept;

/// Where a step of a saga stands.
enum class StepStatus {
    waiting,           ///< not started
    running,           ///< its command is sent, the reply is awaited
    backing_off,       ///< temporary failure: waits for the next attempt
    done,              ///< its reply was a success
    unknown,           ///< no reply: possibly done, so it is undone
    failed,            ///< its reply was a failure: not done
    skipped,           ///< left out by an operator
    undoing,           ///< its undo is sent, the reply is awaited
    undo_backing_off,  ///< temporary failure of the undo: waits for the next attempt
    undone,
    undo_failed,  ///< the undo failed for good, or an operator gave it up
};

/// The name of the status as a text has it: `backing-off`.
std::string_view to_string(StepStatus status) noexcept;

/// Why a saga is an incident.
enum class IncidentCause {
    none,
    start,  ///< the function that derives its data from the event failed
    reply,  ///< a reply could not be decoded or handled; it is kept
    send,   ///< the command could not be encoded or published
    step,   ///< a step failed that has to succeed
    undo,   ///< an undo failed
    late,   ///< a step that was undone succeeded after the saga had ended
    end,    ///< the message about the end could not be encoded or published
};

/// The name of the cause: `reply`.
std::string_view to_string(IncidentCause cause) noexcept;

/// The command of a step, or of its undo, and its reply. A command that is sent again because no
/// reply came keeps its number, and so its message id: the participant handles it once. A retry
/// after a failure is a new command with the next number.
struct Exchange {
    int attempts = 0;        ///< commands sent, since an operator last renewed the budget
    int command_number = 0;  ///< from 1; 0: none was sent
    bool answered = false;
};

/// The state of one step of a saga.
struct SagaStep {
    std::string name;
    Reversibility reversibility = Reversibility::read_only;
    StepStatus status = StepStatus::waiting;
    Exchange forward;
    Exchange undo;
    int order = 0;            ///< 1, 2, … in order of conclusion; steps are undone in reverse
    bool undo_again = false;  ///< it succeeded after its undo had been sent
    std::optional<Timestamp> started_at{};
    std::optional<Timestamp> ended_at{};
    std::string note{};  ///< the last failure, or the last action of an operator
};

/// What it means that a timer of a saga fires.
enum class SagaTimerKind {
    timeout,   ///< the reply is overdue
    retry,     ///< the next attempt is due
    deadline,  ///< the saga as a whole has taken too long
};

/// The name of the kind: `timeout`.
std::string_view to_string(SagaTimerKind kind) noexcept;

/// The one timer of the current step.
struct StepTimer {
    SagaTimerKind kind = SagaTimerKind::timeout;
    Timestamp due_at{};
};

/// A reply that could not be handled, kept until an operator retries.
struct HeldInput {
    std::string type;
    int schema_version = 1;
    std::string data;  ///< as received, even if it is not JSON
    std::string step;
    bool undo = false;
    int command_number = 0;
};

/// The whole state of a saga, as a value. Stored completely after every input.
struct SagaState {
    static constexpr std::size_t no_step = static_cast<std::size_t>(-1);

    SagaId id;
    int generation = 1;
    int version = 1;   ///< of the definition it was started with, which it keeps
    std::string hash;  ///< of that definition
    SagaStatus status = SagaStatus::running;
    SagaStatus resume = SagaStatus::running;   ///< during an incident: the status before it
    SagaStatus end = SagaStatus::compensated;  ///< compensating: its final status
    /// Why it compensates as soon as the current step is concluded; empty: it does not.
    std::string pending_compensation{};
    IncidentCause cause = IncidentCause::none;
    std::string error{};   ///< of an incident
    std::string reason{};  ///< why it compensates, or empty
    std::vector<SagaStep> steps{};
    std::size_t step = no_step;  ///< the current one
    int concluded = 0;           ///< steps concluded so far
    std::string data = "null";   ///< of the program, as JSON
    std::optional<HeldInput> held{};
    std::optional<StepTimer> timer{};
    std::optional<Timestamp> deadline_at{};
    Timestamp started_at{};
    Timestamp waiting_since{};
    Timestamp updated_at{};
    std::uint64_t ignored = 0;  ///< duplicate and stale inputs
    Position started_by{};      ///< the event that started it
    EventId correlation{};

    const SagaStep* current() const noexcept {
        return step < steps.size() ? &steps[step] : nullptr;
    }
};

}  // namespace daybook
