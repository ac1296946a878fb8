#include <algorithm>

#include "machine_parts.hpp"

// What people do to a saga by hand.

namespace daybook::detail {

namespace {

using Actions = std::vector<SagaAction>;

bool waits_to_retry(const SagaStep& step) noexcept {
    return step.status == StepStatus::backing_off || step.status == StepStatus::undo_backing_off;
}

std::string words(const Actions& actions) {
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
    const bool held = state.status == SagaStatus::incident;
    const SagaStatus direction = held ? state.resume : state.status;

    Actions actions;
    if (held || waits_to_retry(*step)) actions.push_back(SagaAction::retry);
    actions.insert(actions.end(), {SagaAction::skip, SagaAction::complete});
    if (direction == SagaStatus::running && state.closing.empty() && !beyond_return(state))
        actions.push_back(SagaAction::cancel);
    return actions;
}

void Machine::take(const OperatorInput& input) {
    const Actions legal = legal_actions(state_);
    text_ = input.actor + ": " + std::string(to_string(input.action));
    if (!input.reason.empty()) text_ += ", because " + input.reason;

    const bool going_back =
        !state_.closing.empty() || state_.status == SagaStatus::cancelled ||
        state_.status == SagaStatus::compensating ||
        (state_.status == SagaStatus::incident && state_.resume == SagaStatus::compensating);
    if (input.action == SagaAction::cancel && going_back) return ignore("it goes back already");
    if (std::ranges::find(legal, input.action) == legal.end()) {
        std::string why = "it is " + std::string(to_string(state_.status));
        if (input.action == SagaAction::cancel && beyond_return(state_))
            why = "it is past the point of no return";
        return refuse(std::string(to_string(input.action)) + " is not possible, " + why +
                      "; possible: " + words(legal));
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

// With a fresh budget. What was answered becomes a new command, what was not is sent again.
void Machine::retry() {
    const IncidentCause cause = state_.cause;
    leave_incident();
    switch (cause) {
        case IncidentCause::start: return;  // the start input follows
        case IncidentCause::end: effects_.push_back(EndSaga{state_.status}); return;
        case IncidentCause::late: return undo_next();
        case IncidentCause::reply: {
            // The reply follows; should it be a failure, its budget is fresh.
            SagaStep& step = current();
            (state_.status == SagaStatus::compensating ? step.undo : step.forward).attempts = 0;
            return;
        }
        default: break;
    }
    SagaStep& step = current();
    const bool undo = state_.status == SagaStatus::compensating;
    if (!undo && !state_.closing.empty() && !has_to_be_known(step)) return give_up(step, {});
    Exchange& exchange = undo ? step.undo : step.forward;
    exchange.attempts = 1;
    if (exchange.answered) ++exchange.series;
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
    if (cause == IncidentCause::none) return stop(SagaStatus::cancelled, reason);
    state_.end = SagaStatus::cancelled;
    state_.reason = reason;
    if (cause == IncidentCause::start) return end(SagaStatus::cancelled);
    if (current().status == StepStatus::running) return give_up(current(), reason);
    go_back(reason);
}

}  // namespace daybook::detail
