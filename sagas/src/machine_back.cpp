#include <algorithm>

#include "machine_parts.hpp"

// Going back: every step that was done, or may have been, is undone; the one concluded last comes
// first, and each waits for the one before it.

namespace daybook::detail {

// No step is begun any more. What is in flight is concluded first, by its answer or its timeout,
// so that its undo never overtakes it and finds what the answer brought.
void Machine::stop(SagaStatus end, std::string reason) {
    state_.end = end;
    state_.closing = std::move(reason);
    if (state_.status == SagaStatus::incident) {
        text_ += ", goes back when the incident is over";
        return;
    }
    SagaStep& step = current();
    if (step.status == StepStatus::backing_off) {
        step.status = StepStatus::failed;
        step.ended_at = now_;
        return go_back({});
    }
    if (state_.timer || step.reversibility == Reversibility::pivot) {
        text_ += ", goes back when " + step.name + " is concluded";
        return;
    }
    give_up(step, {});
}

// Why it was asked to, if it was, says more than what became of the last step.
void Machine::go_back(std::string reason) {
    state_.reason = state_.closing.empty() ? std::move(reason) : std::exchange(state_.closing, {});
    cancel_timer();
    cancel_deadline();
    state_.status = SagaStatus::compensating;
    text_ += "; goes back";
    undo_next();
}

void Machine::undo_next() {
    SagaStep* newest = nullptr;
    for (SagaStep& step : state_.steps) {
        const bool stands = step.status == StepStatus::done || step.status == StepStatus::unknown;
        if (!stands || step.reversibility != Reversibility::undo) continue;
        if (newest == nullptr || step.order > newest->order) newest = &step;
    }
    if (newest != nullptr) return begin_undo(ref_of(*newest, Move::undo).step);

    const auto any_is = [&](StepStatus status) {
        return std::ranges::any_of(state_.steps, [&](const auto& s) { return s.status == status; });
    };
    if (any_is(StepStatus::undo_failed)) return end(SagaStatus::failed);
    if (state_.end == SagaStatus::cancelled) return end(SagaStatus::cancelled);
    end(any_is(StepStatus::undone) ? SagaStatus::compensated : SagaStatus::failed);
}

void Machine::begin_undo(std::size_t index) {
    state_.step = index;
    SagaStep& step = current();
    step.undo = {1, step.undo.series + 1, false};
    send_undo(step);
}

void Machine::send_undo(SagaStep& step) {
    step.status = StepStatus::undoing;
    state_.waiting_since = now_;
    const StepPlan& plan = plan_of(step);
    arm(SagaTimerKind::timeout, plan.undo_answered ? plan.undo_timeout : std::nullopt);
    effects_.push_back(SendCommand{ref_of(step, Move::undo)});
}

bool undo_needs_no_answer(const SagaPlan& plan, const SagaState& state) {
    const SagaStep* step = state.current();
    return state.status == SagaStatus::compensating && step != nullptr &&
           step->status == StepStatus::undoing && !plan.steps.at(state.step).undo_answered;
}

// Being in the outbox, behind the step's own command, is all there is.
void Machine::take(const SentInput&) {
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
        return arm(SagaTimerKind::retry, wait_after(step, Move::undo));
    }
    step.status = StepStatus::undo_failed;
    incident(IncidentCause::undo, "the undo of " + step.name + " failed: " + step.note);
}

void Machine::undo_overdue(SagaStep& step) {
    if (step.status == StepStatus::undo_backing_off) {
        text_ = "undo of " + step.name + " tried again";
        ++step.undo.attempts;
        ++step.undo.series;
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
