#include <algorithm>

#include "machine_parts.hpp"

// The actions of an operator.

namespace daybook::detail {

namespace {

using Actions = std::vector<SagaAction>;

bool waits_to_retry(const SagaStep& step) noexcept {
    return step.status == StepStatus::backing_off || step.status == StepStatus::undo_backing_off;
}

std::string names_of(const Actions& actions) {
    std::string text;
    for (const SagaAction action : actions)
        text += (text.empty() ? "" : ", ") + std::string(to_string(action));
    return text.empty() ? "nothing" : text;
}

}  // namespace

Actions legal_actions(const SagaState& state) {
    if (has_ended(state.status)) return {};
    if (state.cause == IncidentCause::start) return {SagaAction::retry, SagaAction::cancel};
    if (state.cause == IncidentCause::end) return {SagaAction::retry, SagaAction::skip};
    const SagaStep* step = state.current();
    if (step == nullptr) return {};
    const bool is_incident = state.status == SagaStatus::incident;
    const SagaStatus direction = is_incident ? state.resume : state.status;

    Actions actions;
    if (is_incident || waits_to_retry(*step)) actions.push_back(SagaAction::retry);
    actions.insert(actions.end(), {SagaAction::skip, SagaAction::complete});
    if (direction == SagaStatus::running && state.pending_compensation.empty() &&
        !cannot_compensate(state))
        actions.push_back(SagaAction::cancel);
    return actions;
}

void Machine::apply(const OperatorInput& input) {
    const Actions legal = legal_actions(state_);
    text_ = input.actor + ": " + std::string(to_string(input.action));
    if (!input.reason.empty()) text_ += ", because " + input.reason;

    const bool compensates =
        !state_.pending_compensation.empty() || state_.status == SagaStatus::cancelled ||
        state_.status == SagaStatus::compensating ||
        (state_.status == SagaStatus::incident && state_.resume == SagaStatus::compensating);
    if (input.action == SagaAction::cancel && compensates) return ignore("it goes back already");
    if (std::ranges::find(legal, input.action) == legal.end()) {
        std::string why = "it is " + std::string(to_string(state_.status));
        if (input.action == SagaAction::cancel && cannot_compensate(state_))
            why = "it is past the point of no return";
        return refuse(std::string(to_string(input.action)) + " is not possible, " + why +
                      "; possible: " + names_of(legal));
    }
    if (state_.step < state_.steps.size()) {
        current().note = std::string(to_string(input.action)) + " by " + input.actor;
        if (!input.reason.empty()) current().note += ": " + input.reason;
    }
    switch (input.action) {
        case SagaAction::retry: return retry();
        case SagaAction::skip: return skip();
        case SagaAction::complete: return complete(input);
        case SagaAction::cancel: return cancel(input);
    }
}

// With a new budget of attempts. A command that has a reply is replaced by a new one; a command
// without a reply is sent again under its id, as the participant may have executed it.
void Machine::retry() {
    const IncidentCause cause = state_.cause;
    leave_incident();
    switch (cause) {
        case IncidentCause::start: return;  // the start input follows
        case IncidentCause::end: effects_.push_back(EndSaga{state_.status}); return;
        case IncidentCause::late: return undo_next();
        case IncidentCause::reply: {
            // The kept reply follows as the next input; if it is a failure, the budget is new.
            SagaStep& step = current();
            (state_.status == SagaStatus::compensating ? step.undo : step.forward).attempts = 0;
            return;
        }
        default: break;
    }
    SagaStep& step = current();
    const bool undo = state_.status == SagaStatus::compensating;
    if (!undo && !state_.pending_compensation.empty() && !must_know_outcome(step))
        return give_up(step, {});
    Exchange& exchange = undo ? step.undo : step.forward;
    exchange.attempts = 1;
    if (exchange.answered) ++exchange.command_number;
    exchange.answered = false;
    undo ? send_undo(step) : send_forward(step);
}

void Machine::skip() {
    const IncidentCause cause = state_.cause;
    leave_incident();
    if (cause == IncidentCause::end) return;
    SagaStep& step = current();
    if (state_.status == SagaStatus::compensating) {
        step.status = StepStatus::undo_failed;
        step.undo_again = false;
        cancel_timer();
        return undo_next();
    }
    step.status = StepStatus::skipped;
    conclude();
}

void Machine::complete(const OperatorInput& input) {
    leave_incident();
    if (input.data) state_.data = *input.data;
    SagaStep& step = current();
    if (state_.status == SagaStatus::compensating) {
        step.undo.answered = true;
        step.undo_again = false;
        return undone(step);
    }
    step.forward.answered = true;
    step.status = StepStatus::done;
    conclude();
}

void Machine::cancel(const OperatorInput& input) {
    const IncidentCause cause = state_.cause;
    const std::string reason = "cancelled by " + input.actor +
                               (input.reason.empty() ? std::string{} : ": " + input.reason);
    leave_incident();
    if (cause == IncidentCause::none) return request_compensation(SagaStatus::cancelled, reason);
    state_.end = SagaStatus::cancelled;
    state_.reason = reason;
    if (cause == IncidentCause::start) return end(SagaStatus::cancelled);
    if (current().status == StepStatus::running) return give_up(current(), reason);
    compensate(reason);
}

}  // namespace daybook::detail
