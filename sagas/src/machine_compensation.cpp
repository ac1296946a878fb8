#include <algorithm>

#include "machine_parts.hpp"

// Compensation: each step that is done, or may be done, is undone, in reverse order of conclusion.
// The next undo is sent when the one before it is done.

namespace daybook::detail {

// No further step is started. A command in flight is concluded first, by its reply or its timeout:
// otherwise the undo could overtake it, and would lack the data that the reply brings.
void Machine::request_compensation(SagaStatus end, std::string reason) {
    state_.end = end;
    state_.pending_compensation = std::move(reason);
    if (state_.status == SagaStatus::incident) {
        text_ += ", goes back when the incident is over";
        return;
    }
    SagaStep& step = current();
    if (step.status == StepStatus::backing_off) {
        step.status = StepStatus::failed;
        step.ended_at = now_;
        return compensate({});
    }
    if (state_.timer || step.reversibility == Reversibility::pivot) {
        text_ += ", goes back when " + step.name + " is concluded";
        return;
    }
    give_up(step, {});
}

// The reason of a request to compensate takes precedence over the failure of the last step.
void Machine::compensate(std::string reason) {
    state_.reason = state_.pending_compensation.empty()
                        ? std::move(reason)
                        : std::exchange(state_.pending_compensation, {});
    cancel_timer();
    cancel_deadline();
    state_.status = SagaStatus::compensating;
    text_ += "; goes back";
    undo_next();
}

void Machine::undo_next() {
    SagaStep* newest = nullptr;
    for (SagaStep& step : state_.steps) {
        const bool has_effect =
            step.status == StepStatus::done || step.status == StepStatus::unknown;
        if (!has_effect || step.reversibility != Reversibility::undo) continue;
        if (newest == nullptr || step.order > newest->order) newest = &step;
    }
    if (newest != nullptr) return start_undo(ref_of(*newest, CommandKind::undo).step);

    const auto any_is = [&](StepStatus status) {
        return std::ranges::any_of(state_.steps, [&](const auto& s) { return s.status == status; });
    };
    if (any_is(StepStatus::undo_failed)) return end(SagaStatus::failed);
    if (state_.end == SagaStatus::cancelled) return end(SagaStatus::cancelled);
    end(any_is(StepStatus::undone) ? SagaStatus::compensated : SagaStatus::failed);
}

void Machine::start_undo(std::size_t index) {
    state_.step = index;
    SagaStep& step = current();
    step.undo = {1, step.undo.command_number + 1, false};
    send_undo(step);
}

void Machine::send_undo(SagaStep& step) {
    step.status = StepStatus::undoing;
    state_.waiting_since = now_;
    const StepPlan& plan = plan_of(step);
    arm(SagaTimerKind::timeout, plan.undo_answered ? plan.undo_timeout : std::nullopt);
    effects_.push_back(SendCommand{ref_of(step, CommandKind::undo)});
}

bool undo_needs_no_answer(const SagaPlan& plan, const SagaState& state) {
    const SagaStep* step = state.current();
    return state.status == SagaStatus::compensating && step != nullptr &&
           step->status == StepStatus::undoing && !plan.steps.at(state.step).undo_answered;
}

// Without a reply, the undo is done once it is in the outbox: it is delivered after the command of
// the step.
void Machine::apply(const SentInput&) {
    SagaStep& step = current();
    text_ = "undo of " + step.name + " sent";
    step.undo.answered = true;
    undone(step);
}

void Machine::undone(SagaStep& step) {
    cancel_timer();
    step.status = StepStatus::undone;
    step.ended_at = now_;
    if (step.undo_again) {
        step.undo_again = false;
        step.status = StepStatus::done;
        step.order = ++state_.concluded;
    }
    undo_next();
}

void Machine::undo_reply(SagaStep& step, const ReplyInput& input) {
    leave_incident();
    step.undo.answered = true;
    state_.data = input.data;
    cancel_timer();
    if (input.answer == Answer::success) return undone(step);
    step.note = input.note;
    if (input.answer == Answer::busy && !plan_of(step).undo_retry.exhausted(step.undo.attempts)) {
        step.status = StepStatus::undo_backing_off;
        state_.waiting_since = now_;
        return arm(SagaTimerKind::retry, wait_after(step, CommandKind::undo));
    }
    step.status = StepStatus::undo_failed;
    incident(IncidentCause::undo, "the undo of " + step.name + " failed: " + step.note);
}

void Machine::undo_overdue(SagaStep& step) {
    if (step.status == StepStatus::undo_backing_off) {
        text_ = "undo of " + step.name + " tried again";
        ++step.undo.attempts;
        ++step.undo.command_number;
        step.undo.answered = false;
        return send_undo(step);
    }
    text_ = "no answer to the undo of " + step.name + " in time";
    if (!plan_of(step).undo_retry.exhausted(step.undo.attempts)) {
        text_ += ", sent again";
        ++step.undo.attempts;
        return send_undo(step);
    }
    step.status = StepStatus::undo_failed;
    incident(IncidentCause::undo, "no answer to the undo of " + step.name + " after " +
                                      std::to_string(step.undo.attempts) + " attempts");
}

}  // namespace daybook::detail
