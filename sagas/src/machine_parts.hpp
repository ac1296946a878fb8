#pragma once

#include <string>
#include <utility>

#include "machine.hpp"

namespace daybook::detail {

/// One reaction while it is made. Works on its own copy of the state.
class Machine {
public:
    Machine(const SagaPlan& plan, SagaState state, Timestamp now)
        : plan_(plan), state_(std::move(state)), now_(now) {}

    void take(const ClockInput& input);
    void take(const StartInput& input);
    void take(const ReplyInput& input);
    void take(const TimerInput& input);
    void take(const OperatorInput& input);
    void take(const FaultInput& input);
    void take(const SentInput& input);
    void take(const StaleInput& input) { ignore(input.text); }

    Reaction finish() &&;

private:
    // Forward.
    void begin(std::size_t step);
    void go_on();
    void conclude();
    void send_forward(SagaStep& step);
    void forward_reply(SagaStep& step, const ReplyInput& input);
    void forward_failed(SagaStep& step, bool worth_repeating);
    void forward_overdue(SagaStep& step);
    void late_reply(SagaStep& step, const ReplyInput& input);
    void late_success(SagaStep& step);
    void give_up(SagaStep& step, std::string reason);
    bool has_to_be_known(const SagaStep& step) const;

    // Back.
    void stop(SagaStatus end, std::string reason);
    void go_back(std::string reason);
    void undo_next();
    void begin_undo(std::size_t step);
    void send_undo(SagaStep& step);
    void undone(SagaStep& step);
    void undo_reply(SagaStep& step, const ReplyInput& input);
    void undo_overdue(SagaStep& step);

    // By hand.
    void retry();
    void skip();
    void complete(const OperatorInput& input);
    void cancel(const OperatorInput& input);
    void leave_incident();

    void incident(IncidentCause cause, std::string trouble);
    void end(SagaStatus status);
    void deadline_passed();
    void arm(SagaTimerKind kind, std::optional<std::chrono::milliseconds> after);
    void cancel_timer();
    void cancel_deadline();
    void ignore(std::string why);
    void refuse(std::string why);

    SagaStep& current() { return state_.steps.at(state_.step); }
    const StepPlan& plan_of(const SagaStep& step) const;
    CommandRef ref_of(const SagaStep& step, Move move) const;
    std::chrono::milliseconds wait_after(const SagaStep& step, Move move) const;

    const SagaPlan& plan_;
    SagaState state_;
    Timestamp now_;
    std::vector<SagaEffect> effects_{};
    Verdict verdict_ = Verdict::applied;
    std::string text_{};
};

/// From this step on the saga only goes forward.
bool forward_only(const SagaState& state, std::size_t step);

}  // namespace daybook::detail
