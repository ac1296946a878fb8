#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "daybook/messaging/dead_letters.hpp"
#include "daybook/sagas/saga_definition.hpp"
#include "daybook/sagas/saga_explanation.hpp"
#include "daybook/sagas/saga_state.hpp"

// The state machine of a saga, without any I/O: `react` is a pure function from a state and an
// input to the next state and the effects that have to commit with it.
//
//     running ──────────────── every step done ─────────────────► completed
//        │  failure, deadline, cancel (before the pivot)
//        ▼
//     compensating ─── everything undone ───► compensated | cancelled | failed
//
//     In both states a failure that the saga cannot handle makes it an incident; when an operator
//     has resolved that, the saga continues in the state it had before.

namespace daybook::detail {

/// The command of a step, or of its undo.
enum class CommandKind { forward, undo };

/// Which command a reply answers.
struct CommandRef {
    std::size_t step = SagaState::no_step;
    CommandKind kind = CommandKind::forward;
    int command_number = 0;
};

// Inputs. `data` is the saga's data after the input: the program's functions, which produce it, are
// called once, before `react`.

struct StartInput {
    std::string data;
};
struct ReplyInput {
    CommandRef ref;
    Answer answer = Answer::success;
    std::string type;
    std::string data;
    std::string note{};  ///< of a failure: its text
};
struct TimerInput {
    SagaTimerKind kind = SagaTimerKind::timeout;
    Timestamp due_at{};
};
struct OperatorInput {
    SagaAction action = SagaAction::retry;
    std::string actor{};
    std::string reason{};
    std::optional<std::string> data{};  ///< of `complete` with a reply
};
/// A function of the program failed: the saga becomes an incident, and nothing else changes.
struct FaultInput {
    IncidentCause cause = IncidentCause::reply;
    std::string error;
    std::optional<HeldInput> held{};
};
/// The undo of the current step, for which no reply is defined, is in the outbox.
struct SentInput {};
/// A duplicate or late input, which is only counted.
struct StaleInput {
    std::string text;
};

/// The clock was set back to before the last input: due times move back by the same amount.
struct ClockInput {};

using SagaInput = std::variant<ClockInput, StartInput, ReplyInput, TimerInput, OperatorInput,
                               FaultInput, SentInput, StaleInput>;

struct SendCommand {
    CommandRef ref;
};
struct ArmTimer {
    SagaTimerKind kind;
    Timestamp due_at;
};
struct CancelTimer {
    SagaTimerKind kind;
};
struct EndSaga {
    SagaStatus status;
};

using SagaEffect = std::variant<SendCommand, ArmTimer, CancelTimer, EndSaga>;

enum class Verdict {
    applied,
    ignored,  ///< duplicate or stale: only counted
    refused,  ///< an operator's action that is not legal now; `text` says why
};

struct Reaction {
    SagaState state;
    std::vector<SagaEffect> effects{};  ///< at most one command or end, and that last
    Verdict verdict = Verdict::applied;
    std::string text{};  ///< what happened, as a sentence for the history
};

/// An instance before its first input.
SagaState new_saga(const SagaPlan& plan, SagaId id, int generation, Timestamp now);

Reaction react(const SagaPlan& plan, SagaState state, const SagaInput& input, Timestamp now);

/// Whether a reply to this command still changes the saga. If not, `why` says so, and the reply
/// need not be decoded.
struct Relevance {
    bool relevant = false;
    std::string why{};
};
Relevance relevance(const SagaState& state, const CommandRef& ref);

/// The actions that an operator may take in this state.
std::vector<SagaAction> legal_actions(const SagaState& state);

SagaExplanation explain(SagaState state, Version journal);
/// Adds the parked messages that belong to this saga.
void add_dead_letters(SagaExplanation& explanation, const std::vector<DeadLetter>& letters);

/// The saga may not compensate any more: a step that cannot be undone is done, or may be done.
bool cannot_compensate(const SagaState& state);

/// The undo of the current step is sent and has no reply defined: SentInput is the next input.
bool undo_needs_no_answer(const SagaPlan& plan, const SagaState& state);

/// The id of the command's message, derived from the saga, the step and the command number. A
/// command that is sent again has the same id; with another one the participant would execute it
/// twice.
EventId command_id(const SagaState& state, const CommandRef& ref);

}  // namespace daybook::detail
