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

// What a saga is, without any I/O: a pure function from a state and an input to the next state and
// the effects that have to commit with it.
//
//     running ──────────────── every step done ─────────────────► completed
//        │  failure, deadline, cancel (before the pivot)
//        ▼
//     compensating ─── everything undone ───► compensated | cancelled | failed
//
//     Either becomes an incident when it can do no more by itself, and goes on from where it was.

namespace daybook::detail {

enum class Move { forward, undo };

/// Which command a reply answers.
struct CommandRef {
    std::size_t step = SagaState::no_step;
    Move move = Move::forward;
    int series = 0;
};

// Inputs. Those that come with `data` bring the saga's data as it is to be after them: the
// program's functions are called before, once.

struct StartInput {
    std::string data;
};
struct ReplyInput {
    CommandRef ref;
    Answer answer = Answer::success;
    std::string type;
    std::string data;
    std::string note{};  ///< of a failure: what it said
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
/// Something of the program's own failed: the saga is held, nothing else.
struct FaultInput {
    IncidentCause cause = IncidentCause::reply;
    std::string error;
    std::optional<HeldInput> held{};
};
/// The undo of the current step, which nobody answers, is in the outbox.
struct SentInput {};
/// Something that came too late or twice, and is only counted.
struct StaleInput {
    std::string text;
};

/// The clock went back behind the last input: what is waited for moves along with it.
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

/// Is a reply to this command of any interest still? If not, why: then it need not be decoded.
struct Relevance {
    bool relevant = false;
    std::string why{};
};
Relevance relevance(const SagaState& state, const CommandRef& ref);

/// What an operator may do to it now.
std::vector<SagaAction> legal_actions(const SagaState& state);

SagaExplanation explain(SagaState state, Version journal);
/// Those of the letters that are this saga's.
void add_dead_letters(SagaExplanation& explanation, const std::vector<DeadLetter>& letters);

/// May no longer go back: a step that cannot be undone is done, or may be.
bool beyond_return(const SagaState& state);

/// Its undo is to be sent and nobody will answer: SentInput comes next.
bool undo_needs_no_answer(const SagaPlan& plan, const SagaState& state);

/// The id of the message that carries the command: the same for the same series, always.
EventId command_id(const SagaState& state, const CommandRef& ref);

}  // namespace daybook::detail
