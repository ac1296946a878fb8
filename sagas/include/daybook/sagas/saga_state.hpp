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

/// Which saga: there is one instance of a definition per key. When it has ended, its key may be
/// used again; the next instance has the next *generation*.
struct SagaId {
    std::string definition;  ///< `fulfil-order`
    std::string key;         ///< `10248`

    /// `fulfil-order/10248`: in texts, and the key that all its messages carry.
    std::string to_string() const { return definition + "/" + key; }
    auto operator<=>(const SagaId&) const = default;
};

/// The stream that holds the journal of a saga: `saga-fulfil-order:10248`. Throws InvalidError if
/// no stream can have that name.
StreamName saga_stream(const SagaId& id);

enum class SagaStatus {
    running,       ///< goes forward
    compensating,  ///< undoes what it did, the newest first
    completed,     ///< ended: every step was done or skipped
    compensated,   ///< ended: everything that was done is undone
    failed,        ///< ended: nothing had to be undone, or an operator gave up an undo
    cancelled,     ///< ended on request, everything that was done is undone
    incident,      ///< waits for an operator
};

std::string_view to_string(SagaStatus status) noexcept;
/// Throws InvalidError for a word that is no status.
SagaStatus parse_saga_status(std::string_view word);
/// Completed, compensated, failed or cancelled.
bool has_ended(SagaStatus status) noexcept;

/// How a step can be taken back. Every step of a definition says it.
enum class Reversibility {
    undo,       ///< by a command that undoes it
    pivot,      ///< not at all: until here the saga may go back, from here on only forward
    retriable,  ///< need not be: it is repeated until it succeeds
    read_only,  ///< nothing to take back
};

std::string_view to_string(Reversibility reversibility) noexcept;

enum class StepStatus {
    waiting,           ///< not begun
    running,           ///< its command is sent, the answer is awaited
    backing_off,       ///< failed for now, waits to be tried again
    done,              ///< answered with success
    unknown,           ///< never answered: possibly done, so it is undone
    failed,            ///< answered with failure: not done
    skipped,           ///< passed over by an operator
    undoing,           ///< its undo is sent, the answer is awaited
    undo_backing_off,  ///< the undo failed for now
    undone,
    undo_failed,  ///< the undo failed for good, or an operator gave it up
};

std::string_view to_string(StepStatus status) noexcept;

/// Why a saga is an incident.
enum class IncidentCause {
    none,
    start,  ///< the function that makes its data from the event failed
    reply,  ///< a reply could not be read or handled; it is kept
    send,   ///< the command could not be made or published
    step,   ///< a step that has to succeed did not
    undo,   ///< an undo did not
    late,   ///< a step that was undone succeeded after the end
    end,    ///< the message about the end could not be made or published
};

std::string_view to_string(IncidentCause cause) noexcept;

/// A command and its answer. What is sent again because no answer came keeps its `series`, and so
/// its message id; what is tried again after a definite failure gets the next one.
struct Exchange {
    int attempts = 0;  ///< commands sent in the present budget
    int series = 0;    ///< from 1
    bool answered = false;
};

/// What one step of a saga has come to.
struct SagaStep {
    std::string name;
    Reversibility reversibility = Reversibility::read_only;
    StepStatus status = StepStatus::waiting;
    Exchange forward;
    Exchange undo;
    int order = 0;            ///< 1, 2, …: when it was concluded; undone in the reverse order
    bool undo_again = false;  ///< it succeeded after its undo had been sent
    std::optional<Timestamp> begun_at{};
    std::optional<Timestamp> ended_at{};
    std::string note{};  ///< the last failure, or who did what by hand
};

enum class SagaTimerKind {
    timeout,   ///< the answer is overdue
    retry,     ///< time to try again
    deadline,  ///< the saga as a whole has taken too long
};

std::string_view to_string(SagaTimerKind kind) noexcept;

/// The one timer of the current step.
struct StepTimer {
    SagaTimerKind kind = SagaTimerKind::timeout;
    Timestamp due_at{};
};

/// A start event or a reply that could not be handled, kept until an operator retries.
struct HeldInput {
    std::string type;
    int schema_version = 1;
    std::string data;  ///< JSON, or whatever came
    std::string step;  ///< empty for a start event
    bool undo = false;
    int series = 0;
};

/// A saga as a value: all that it is. Stored whole after every input.
struct SagaState {
    static constexpr std::size_t no_step = static_cast<std::size_t>(-1);

    SagaId id;
    int generation = 1;
    int version = 1;   ///< of the definition it was started with, and stays with
    std::string hash;  ///< of that definition
    SagaStatus status = SagaStatus::running;
    SagaStatus resume = SagaStatus::running;   ///< under an incident: what it was before
    SagaStatus end = SagaStatus::compensated;  ///< going back: what to call the end of it
    /// Why it goes back as soon as the current step is concluded; empty: it does not.
    std::string closing{};
    IncidentCause cause = IncidentCause::none;
    std::string trouble{};  ///< of an incident: what happened
    std::string reason{};   ///< why it went back, or empty
    std::vector<SagaStep> steps{};
    std::size_t step = no_step;  ///< the current one
    int concluded = 0;           ///< steps concluded so far
    std::string data = "null";   ///< the program's own part, as JSON
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
