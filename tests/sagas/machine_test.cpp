#include "machine.hpp"

#include <random>

#include <doctest/doctest.h>

#include "state_json.hpp"

// The state machine alone: no store, no clock, no functions of the program.

using namespace daybook;
using namespace daybook::detail;
using namespace std::chrono_literals;

namespace {

constexpr Timestamp morning{std::chrono::hours{24 * 17'000}};

StepPlan step(std::string name, Reversibility kind, bool undo_answered = true) {
    StepPlan plan;
    plan.name = std::move(name);
    plan.reversibility = kind;
    plan.timeout = 5s;
    plan.undo_timeout = 5s;
    plan.retry = exponential(100ms, 2.0, 1s).attempts(2);
    plan.undo_retry = plan.retry;
    plan.undo_answered = undo_answered;
    return plan;
}

SagaPlan plan() {
    return {"test",
            1,
            "hash",
            60s,
            {step("a", Reversibility::undo), step("b", Reversibility::read_only),
             step("c", Reversibility::undo, false), step("d", Reversibility::pivot),
             step("e", Reversibility::retriable)}};
}

SagaState started(const SagaPlan& plan) {
    return react(plan, new_saga(plan, {"test", "1"}, 1, morning), StartInput{"{}"}, morning).state;
}

ReplyInput answer(std::size_t step, Answer answer, CommandKind kind = CommandKind::forward,
                  int number = 1) {
    return {{step, kind, number}, answer, "some.reply", "{}", "said so"};
}

template <class Effect>
const Effect* find(const Reaction& reaction) {
    for (const auto& effect : reaction.effects)
        if (const auto* found = std::get_if<Effect>(&effect)) return found;
    return nullptr;
}

// Checks the invariants of each state and reaction; returns the first that is violated, or nothing.
std::string unsound(const SagaPlan& plan, const Reaction& reaction) {
    const SagaState& state = reaction.state;
    for (const auto& effect : reaction.effects) {
        const bool last = &effect == &reaction.effects.back();
        const bool moves =
            std::holds_alternative<SendCommand>(effect) || std::holds_alternative<EndSaga>(effect);
        if (moves && !last) return "a command or an end is not the last effect";
    }
    if (has_ended(state.status)) {
        if (state.timer || state.deadline_at) return "it has ended and a timer is armed";
        if (!legal_actions(state).empty()) return "it has ended and something may be done to it";
    }
    if (state.status == SagaStatus::incident) {
        if (state.timer) return "an incident has a timer";
        if (state.cause == IncidentCause::none) return "an incident has no cause";
        if (legal_actions(state).empty()) return "nothing can be done about an incident";
    }
    if (state.status == SagaStatus::compensated || state.status == SagaStatus::cancelled) {
        if (state.steps[3].status == StepStatus::done) return "undone past the pivot";
        for (const SagaStep& step : state.steps) {
            const bool stands = step.status == StepStatus::done ||
                                step.status == StepStatus::unknown ||
                                step.status == StepStatus::undo_failed;
            if (stands && step.reversibility == Reversibility::undo)
                return "all is undone but " + step.name;
        }
    }
    if (state.status == SagaStatus::running || state.status == SagaStatus::compensating) {
        const bool waits = state.current() != nullptr &&
                           (state.timer.has_value() || undo_needs_no_answer(plan, state));
        if (!waits) return "nothing will ever happen";
    }
    const std::string text = encode_state(state);
    if (encode_state(decode_state(text)) != text) return "it is not what was written";
    return "";
}

SagaInput random_input(const SagaState& state, std::mt19937& random) {
    const auto pick = [&](int choices) {
        return static_cast<int>(random() % static_cast<unsigned>(choices));
    };
    const auto any_step = static_cast<std::size_t>(pick(5));
    const std::size_t step = pick(3) > 0 && state.step < 5 ? state.step : any_step;
    const CommandKind kind = pick(2) == 0 ? CommandKind::forward : CommandKind::undo;
    const Exchange& exchange =
        kind == CommandKind::undo ? state.steps[step].undo : state.steps[step].forward;
    switch (pick(5)) {
        case 0:
        case 1: {
            const int number = pick(5) == 0 ? pick(3) : exchange.command_number;
            return answer(step, static_cast<Answer>(pick(3)), kind, number);
        }
        case 2:
            if (state.timer) return TimerInput{state.timer->kind, state.timer->due_at};
            return TimerInput{SagaTimerKind::timeout, morning};
        case 3:
            if (pick(4) == 0 && state.deadline_at)
                return TimerInput{SagaTimerKind::deadline, *state.deadline_at};
            return StaleInput{"whatever"};
        default: return OperatorInput{static_cast<SagaAction>(pick(4)), "ada", "because", "{}"};
    }
}

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a start sends the first command and arms its timer and the deadline") {
    const SagaPlan plan_ = plan();
    const Reaction reaction =
        react(plan_, new_saga(plan_, {"test", "1"}, 1, morning), StartInput{"{}"}, morning);
    REQUIRE(find<SendCommand>(reaction) != nullptr);
    CHECK(find<SendCommand>(reaction)->ref.step == 0);
    CHECK(reaction.state.timer->due_at == morning + 5s);
    CHECK(reaction.state.deadline_at == morning + 60s);
}

TEST_CASE("a command sent again keeps its id and one tried again gets a new one") {
    const SagaPlan plan_ = plan();
    const SagaState state = started(plan_);
    const CommandRef first{0, CommandKind::forward, 1};
    const Reaction again =
        react(plan_, state, TimerInput{SagaTimerKind::timeout, morning + 5s}, morning + 5s);
    REQUIRE(find<SendCommand>(again) != nullptr);
    CHECK(command_id(again.state, find<SendCommand>(again)->ref) == command_id(state, first));

    const Reaction busy = react(plan_, state, answer(0, Answer::busy), morning);
    REQUIRE(busy.state.timer);
    const Timestamp due = busy.state.timer->due_at;
    const Reaction anew = react(plan_, busy.state, TimerInput{SagaTimerKind::retry, due}, due);
    REQUIRE(find<SendCommand>(anew) != nullptr);
    CHECK(command_id(anew.state, find<SendCommand>(anew)->ref) != command_id(state, first));
}

TEST_CASE("ids differ between keys and generations and definitions and directions") {
    const SagaPlan plan_ = plan();
    SagaState state = started(plan_);
    const EventId id = command_id(state, {0, CommandKind::forward, 1});
    CHECK(command_id(state, {0, CommandKind::undo, 1}) != id);
    CHECK(command_id(state, {0, CommandKind::forward, 2}) != id);
    CHECK(command_id(state, {1, CommandKind::forward, 1}) != id);
    state.generation = 2;
    CHECK(command_id(state, {0, CommandKind::forward, 1}) != id);
}

TEST_CASE("the same input gives the same reaction") {
    const SagaPlan plan_ = plan();
    SagaPlan jittery = plan_;
    jittery.steps[0].retry = exponential(10s, 2.0, 60s).full_jitter().attempts(5);
    const SagaState state = started(jittery);
    const Reaction one = react(jittery, state, answer(0, Answer::busy), morning);
    const Reaction two = react(jittery, state, answer(0, Answer::busy), morning);
    CHECK(encode_state(one.state) == encode_state(two.state));
    SagaState other = state;
    other.id.key = "2";
    const Reaction three = react(jittery, other, answer(0, Answer::busy), morning);
    CHECK(one.state.timer->due_at != three.state.timer->due_at);
}

TEST_CASE("a read-only step that is never answered fails without being undone") {
    const SagaPlan plan_ = plan();
    SagaState state = react(plan_, started(plan_), answer(0, Answer::success), morning).state;
    for (int i = 1; i <= 2; ++i) {
        REQUIRE(state.timer);
        const Timestamp due = state.timer->due_at;
        state = react(plan_, state, TimerInput{SagaTimerKind::timeout, due}, due).state;
    }
    CHECK(state.steps[1].status == StepStatus::failed);
    CHECK(state.steps[0].status == StepStatus::undoing);
}

TEST_CASE("whatever comes in whatever order a saga stays sound") {
#ifdef NDEBUG
    constexpr unsigned seeds = 5'000;
#else
    constexpr unsigned seeds = 200;
#endif
    const SagaPlan plan_ = plan();
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        std::mt19937 random{seed};
        SagaState state = started(plan_);
        Timestamp now = morning;
        std::string violation;
        for (int i = 0; i < 60 && violation.empty(); ++i) {
            now += 1s;
            Reaction reaction = react(plan_, state, random_input(state, random), now);
            if (reaction.verdict == Verdict::refused) continue;
            violation = unsound(plan_, reaction);
            state = std::move(reaction.state);
            if (!undo_needs_no_answer(plan_, state)) continue;
            reaction = react(plan_, state, SentInput{}, now);
            violation += unsound(plan_, reaction);
            state = std::move(reaction.state);
        }
        CAPTURE(seed);
        REQUIRE(violation == "");
    }
}

TEST_CASE("a state that is not one is refused") {
    CHECK_THROWS_AS(decode_state("{}"), CorruptError);
    CHECK_THROWS_AS(decode_state("nonsense"), CorruptError);
    const SagaPlan plan_ = plan();
    std::string text = encode_state(started(plan_));
    text.replace(text.find("\"running\""), 9, "\"rushing\"");
    CHECK_THROWS_AS(decode_state(text), CorruptError);
    CHECK_THROWS_AS(decode_headers(""), InvalidError);
    CHECK_THROWS_AS(decode_headers("{}"), InvalidError);
}

TEST_SUITE_END();
