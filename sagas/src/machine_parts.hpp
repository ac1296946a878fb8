#pragma once

#include <string>
#include <utility>

#include "machine.hpp"

namespace daybook::detail {

/// Computes one reaction, on its own copy of the state.
class Machine {
public:
    Machine(const SagaPlan& plan, SagaState state, Timestamp now)
        : plan_(plan), state_(std::move(state)), now_(now) {}

    void apply(const ClockInput& input);
    void apply(const StartInput& input);
    void apply(const ReplyInput& input);
    void apply(const TimerInput& input);
    void apply(const OperatorInput& input);
    void apply(const FaultInput& input);
    void apply(const SentInput& input);
    void apply(const StaleInput& input) { ignore(input.text); }

    Reaction finish() &&;

private:
    // Forward.
    void start_step(std::size_t step);
    void advance();
    void conclude();
    void send_forward(SagaStep& step);
    void forward_reply(SagaStep& step, const ReplyInput& input);
    void forward_failed(SagaStep& step, bool may_succeed_later);
    void forward_overdue(SagaStep& step);
    void late_reply(SagaStep& step, const ReplyInput& input);
    void late_success(SagaStep& step);
    void give_up(SagaStep& step, std::string reason);
    bool must_know_outcome(const SagaStep& step) const;

    // Compensation.
    void request_compensation(SagaStatus end, std::string reason);
    void compensate(std::string reason);
    void undo_next();
    void start_undo(std::size_t step);
    void send_undo(SagaStep& step);
    void undone(SagaStep& step);
    void undo_reply(SagaStep& step, const ReplyInput& input);
    void undo_overdue(SagaStep& step);

    // Actions of an operator.
    void retry();
    void skip();
    void complete(const OperatorInput& input);
    void cancel(const OperatorInput& input);
    void leave_incident();

    void incident(IncidentCause cause, std::string error);
    void end(SagaStatus status);
    void deadline_passed();
    void arm(SagaTimerKind kind, std::optional<std::chrono::milliseconds> after);
    void cancel_timer();
    void cancel_deadline();
    void ignore(std::string why);
    void refuse(std::string why);

    SagaStep& current() { return state_.steps.at(state_.step); }
    const StepPlan& plan_of(const SagaStep& step) const;
    CommandRef ref_of(const SagaStep& step, CommandKind kind) const;
    std::chrono::milliseconds wait_after(const SagaStep& step, CommandKind kind) const;

    const SagaPlan& plan_;
    SagaState state_;
    Timestamp now_;
    std::vector<SagaEffect> effects_{};
    Verdict verdict_ = Verdict::applied;
    std::string text_{};
};

/// True if the saga only goes forward from this step on.
bool forward_only(const SagaState& state, std::size_t step);

}  // namespace daybook::detail
