#include "machine.hpp"

#include <algorithm>

#include "machine_parts.hpp"

namespace daybook::detail {

namespace {

std::string exchange_name(const SagaState& state, const CommandRef& ref) {
    // The key is last because it may contain a '/': anywhere else, two different commands could get
    // the same name.
    return "saga/" + state.id.definition + "/" + std::to_string(state.generation) + "/" +
           state.steps.at(ref.step).name + "/" + (ref.kind == CommandKind::undo ? "undo" : "do") +
           "/" + std::to_string(ref.command_number) + "/" + state.id.key;
}

bool is_undo_status(StepStatus status) noexcept {
    return status == StepStatus::undoing || status == StepStatus::undo_backing_off ||
           status == StepStatus::undo_failed;
}

}  // namespace

SagaState new_saga(const SagaPlan& plan, SagaId id, int generation, Timestamp now) {
    SagaState state;
    state.id = std::move(id);
    state.generation = generation;
    state.version = plan.version;
    state.hash = plan.hash;
    for (const StepPlan& step : plan.steps) {
        SagaStep& added = state.steps.emplace_back();
        added.name = step.name;
        added.reversibility = step.reversibility;
    }
    state.started_at = state.waiting_since = state.updated_at = now;
    return state;
}

Reaction react(const SagaPlan& plan, SagaState state, const SagaInput& input, Timestamp now) {
    Machine machine{plan, std::move(state), now};
    std::visit([&](const auto& given) { machine.apply(given); }, input);
    return std::move(machine).finish();
}

EventId command_id(const SagaState& state, const CommandRef& ref) {
    return EventId::from_name(exchange_name(state, ref));
}

bool forward_only(const SagaState& state, std::size_t step) {
    if (step >= state.steps.size()) return false;
    if (state.steps[step].reversibility == Reversibility::retriable) return true;
    return std::any_of(state.steps.begin(), state.steps.begin() + static_cast<std::ptrdiff_t>(step),
                       [](const SagaStep& before) {
                           return before.reversibility == Reversibility::pivot ||
                                  before.reversibility == Reversibility::retriable;
                       });
}

bool cannot_compensate(const SagaState& state) {
    if (forward_only(state, state.step)) return true;
    const SagaStep* step = state.current();
    return step != nullptr && step->reversibility == Reversibility::pivot &&
           step->status == StepStatus::running;
}

Relevance relevance(const SagaState& state, const CommandRef& ref) {
    const SagaStep& step = state.steps.at(ref.step);
    const bool undo = ref.kind == CommandKind::undo;
    const Exchange& exchange = undo ? step.undo : step.forward;
    const auto stale = [&](const std::string& why) {
        return Relevance{false, (undo ? "undo of " : "") + step.name + ": " + why};
    };
    if (ref.command_number > exchange.command_number)
        return stale("an answer to a command that was never sent");
    if (ref.command_number < exchange.command_number)
        return stale("an answer to an earlier attempt");
    if (exchange.answered) return stale("it was answered before");
    if (undo) {
        const bool held = step.status == StepStatus::undo_failed &&
                          state.status == SagaStatus::incident && state.step == ref.step;
        const bool awaited = step.status == StepStatus::undoing || held;
        return awaited ? Relevance{true} : stale("its undo is not awaited");
    }
    if (step.status == StepStatus::skipped) return stale("it was skipped by hand");
    if (step.status == StepStatus::failed) return stale("it was given up before");
    return {true};
}

// ----- shared by all inputs

const StepPlan& Machine::plan_of(const SagaStep& step) const {
    return plan_.steps.at(static_cast<std::size_t>(&step - state_.steps.data()));
}

CommandRef Machine::ref_of(const SagaStep& step, CommandKind kind) const {
    const auto index = static_cast<std::size_t>(&step - state_.steps.data());
    return {index, kind,
            kind == CommandKind::undo ? step.undo.command_number : step.forward.command_number};
}

std::chrono::milliseconds Machine::wait_after(const SagaStep& step, CommandKind kind) const {
    const bool undo = kind == CommandKind::undo;
    const int attempts = undo ? step.undo.attempts : step.forward.attempts;
    // The jitter is derived from the command's name, so that `react` stays a pure function.
    const auto bytes =
        EventId::from_name(exchange_name(state_, ref_of(step, kind)) + "/wait").bytes();
    double random = 0;
    for (std::size_t i = 0; i < 6; ++i) random = (random + bytes[i]) / 256;
    return (undo ? plan_of(step).undo_retry : plan_of(step).retry).delay(attempts, random);
}

void Machine::arm(SagaTimerKind kind, std::optional<std::chrono::milliseconds> after) {
    cancel_timer();
    if (!after || *after >= forever) return;
    state_.timer = StepTimer{kind, saturating_add(now_, *after)};
    effects_.push_back(ArmTimer{kind, state_.timer->due_at});
}

void Machine::cancel_timer() {
    if (!state_.timer) return;
    effects_.push_back(CancelTimer{state_.timer->kind});
    state_.timer.reset();
}

void Machine::cancel_deadline() {
    if (!state_.deadline_at) return;
    effects_.push_back(CancelTimer{SagaTimerKind::deadline});
    state_.deadline_at.reset();
}

void Machine::incident(IncidentCause cause, std::string error) {
    cancel_timer();
    if (state_.status != SagaStatus::incident) state_.resume = state_.status;
    state_.status = SagaStatus::incident;
    state_.cause = cause;
    state_.error = std::move(error);
    state_.waiting_since = now_;
    text_ += "; incident: " + state_.error;
}

void Machine::leave_incident() {
    if (state_.status != SagaStatus::incident) return;
    state_.status = state_.resume;
    state_.cause = IncidentCause::none;
    state_.error.clear();
    state_.held.reset();
}

void Machine::end(SagaStatus status) {
    cancel_timer();
    cancel_deadline();
    state_.status = status;
    state_.pending_compensation.clear();
    state_.step = SagaState::no_step;
    effects_.push_back(EndSaga{status});
    text_ += "; ended as " + std::string(to_string(status));
}

void Machine::ignore(std::string why) {
    verdict_ = Verdict::ignored;
    ++state_.ignored;
    text_ = "ignored: " + std::move(why);
}

void Machine::refuse(std::string why) {
    verdict_ = Verdict::refused;
    text_ = std::move(why);
}

Reaction Machine::finish() && {
    state_.updated_at = now_;
    return {std::move(state_), std::move(effects_), verdict_, std::move(text_)};
}

// Without this, a timeout would last longer by as much as the clock was set back.
void Machine::apply(const ClockInput&) {
    // At least -max: the minimum cannot be negated.
    const auto back =
        std::max(saturating_difference(now_, state_.updated_at), -std::chrono::microseconds::max());
    if (back >= back.zero()) return ignore("a clock that did not go back");
    text_ = "the clock went back by " +
            std::to_string(std::chrono::ceil<std::chrono::seconds>(-back).count()) +
            " s, and what is waited for with it";
    state_.waiting_since = saturating_add(state_.waiting_since, back);
    if (state_.timer) {
        state_.timer->due_at = saturating_add(state_.timer->due_at, back);
        effects_.push_back(ArmTimer{state_.timer->kind, state_.timer->due_at});
    }
    if (state_.deadline_at) {
        state_.deadline_at = saturating_add(*state_.deadline_at, back);
        effects_.push_back(ArmTimer{SagaTimerKind::deadline, *state_.deadline_at});
    }
}

void Machine::apply(const StartInput& input) {
    text_ = "started";
    leave_incident();
    state_.status = SagaStatus::running;
    state_.data = input.data;
    if (plan_.deadline && *plan_.deadline < forever) {
        state_.deadline_at = saturating_add(state_.started_at, *plan_.deadline);
        effects_.push_back(ArmTimer{SagaTimerKind::deadline, *state_.deadline_at});
    }
    start_step(0);
}

void Machine::apply(const ReplyInput& input) {
    if (auto found = relevance(state_, input.ref); !found.relevant) return ignore(found.why);
    SagaStep& step = state_.steps.at(input.ref.step);
    text_ = (input.ref.kind == CommandKind::undo ? "undo of " : "") + step.name + " answered " +
            input.type;
    if (input.ref.kind == CommandKind::undo) {
        undo_reply(step, input);
    } else if (step.status == StepStatus::running) {
        forward_reply(step, input);
    } else {
        late_reply(step, input);
    }
}

void Machine::apply(const TimerInput& input) {
    if (input.kind == SagaTimerKind::deadline) {
        if (state_.deadline_at != input.due_at) return ignore("a deadline that is not armed");
        state_.deadline_at.reset();
        effects_.push_back(CancelTimer{SagaTimerKind::deadline});
        return deadline_passed();
    }
    if (!state_.timer || state_.timer->kind != input.kind || state_.timer->due_at != input.due_at)
        return ignore("a timer that is not armed");
    cancel_timer();
    SagaStep& step = current();
    if (is_undo_status(step.status)) {
        undo_overdue(step);
    } else {
        forward_overdue(step);
    }
}

void Machine::apply(const FaultInput& input) {
    text_ = "failed";
    state_.held = input.held;
    incident(input.cause, input.error);
}

// ----- forward

void Machine::start_step(std::size_t step) {
    state_.step = step;
    SagaStep& started = current();
    started.status = StepStatus::running;
    started.started_at = now_;
    started.forward = {1, 1, false};
    send_forward(started);
}

void Machine::send_forward(SagaStep& step) {
    step.status = StepStatus::running;
    state_.waiting_since = now_;
    arm(SagaTimerKind::timeout, plan_of(step).timeout);
    effects_.push_back(SendCommand{ref_of(step, CommandKind::forward)});
}

void Machine::advance() {
    const std::size_t next = state_.step + 1;
    if (next == state_.steps.size()) {
        end(SagaStatus::completed);
    } else {
        start_step(next);
    }
}

// The current step is done or skipped.
void Machine::conclude() {
    SagaStep& step = current();
    step.order = ++state_.concluded;
    step.ended_at = now_;
    cancel_timer();
    // A pivot that is done cannot be undone, so a pending compensation is dropped.
    if (step.reversibility == Reversibility::pivot && step.status == StepStatus::done)
        state_.pending_compensation.clear();
    if (!state_.pending_compensation.empty() && !forward_only(state_, state_.step))
        return compensate({});
    advance();
}

void Machine::forward_reply(SagaStep& step, const ReplyInput& input) {
    leave_incident();
    step.forward.answered = true;
    state_.data = input.data;
    cancel_timer();
    if (input.answer == Answer::success) {
        step.status = StepStatus::done;
        return conclude();
    }
    step.note = input.note;
    forward_failed(step, input.answer == Answer::busy);
}

// The reply was a failure, so the step is certainly not done.
void Machine::forward_failed(SagaStep& step, bool may_succeed_later) {
    const bool only_forward = forward_only(state_, state_.step);
    const bool may_retry =
        only_forward || (may_succeed_later && state_.pending_compensation.empty());
    if (may_retry && !plan_of(step).retry.exhausted(step.forward.attempts)) {
        step.status = StepStatus::backing_off;
        state_.waiting_since = now_;
        arm(SagaTimerKind::retry, wait_after(step, CommandKind::forward));
        return;
    }
    step.status = StepStatus::failed;
    step.ended_at = now_;
    const std::string reason = step.name + " failed: " + step.note;
    if (only_forward) return incident(IncidentCause::step, reason);
    compensate(reason);
}

void Machine::forward_overdue(SagaStep& step) {
    if (step.status == StepStatus::backing_off) {
        text_ = step.name + " tried again";
        ++step.forward.attempts;
        ++step.forward.command_number;
        step.forward.answered = false;
        return send_forward(step);
    }
    text_ = "no answer from " + step.name + " in time";
    const bool needs_outcome = must_know_outcome(step);
    const bool gives_up = !state_.pending_compensation.empty() && !needs_outcome;
    if (!gives_up && !plan_of(step).retry.exhausted(step.forward.attempts)) {
        text_ += ", sent again";
        ++step.forward.attempts;
        return send_forward(step);
    }
    const std::string reason = "no answer from " + step.name + " after " +
                               std::to_string(step.forward.attempts) + " attempts";
    if (needs_outcome) return incident(IncidentCause::step, reason + ", so its outcome is unknown");
    give_up(step, reason);
}

// The outcome of such a step decides whether the saga may compensate, so the step cannot be given
// up as `unknown`.
bool Machine::must_know_outcome(const SagaStep& step) const {
    return step.reversibility == Reversibility::pivot || forward_only(state_, state_.step);
}

// The outcome of the step is unknown. It counts as done from here on, so that it is undone: to
// leave it would keep an effect of a compensated saga.
void Machine::give_up(SagaStep& step, std::string reason) {
    const bool harmless = step.reversibility == Reversibility::read_only;
    step.status = harmless ? StepStatus::failed : StepStatus::unknown;
    step.note = "outcome unknown";
    step.order = ++state_.concluded;
    step.ended_at = now_;
    compensate(std::move(reason));
}

void Machine::late_reply(SagaStep& step, const ReplyInput& input) {
    step.forward.answered = true;
    if (input.answer != Answer::success)
        return ignore(step.name + ": a late failure, " + input.type);
    text_ += ", late";
    state_.data = input.data;
    step.note = "succeeded late";
    late_success(step);
}

// A step that was given up has succeeded after all. An undo that was sent before may have found
// nothing to undo, so it has to be sent again.
void Machine::late_success(SagaStep& step) {
    switch (step.status) {
        case StepStatus::undoing:
        case StepStatus::undo_backing_off: step.undo_again = true; return;
        case StepStatus::unknown: step.status = StepStatus::done; return;
        case StepStatus::undone: break;
        default: return;
    }
    step.status = StepStatus::done;
    step.order = ++state_.concluded;
    if (!has_ended(state_.status)) return;
    state_.step = ref_of(step, CommandKind::forward).step;
    incident(IncidentCause::late, step.name + " succeeded after the saga had ended as " +
                                      std::string(to_string(state_.status)));
    state_.resume = SagaStatus::compensating;
}

void Machine::deadline_passed() {
    text_ = "deadline passed";
    const bool forward =
        state_.status == SagaStatus::running ||
        (state_.status == SagaStatus::incident && state_.resume == SagaStatus::running);
    if (!forward || forward_only(state_, state_.step)) {
        text_ += ", too late to go back";
        return;
    }
    request_compensation(SagaStatus::compensated, "the deadline has passed");
}

}  // namespace daybook::detail
