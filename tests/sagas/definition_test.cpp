#include <doctest/doctest.h>

#include "order_world.hpp"

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Builder = SagaBuilder<OrderSaga>;
using Step = StepBuilder<OrderSaga>;
using Opening = StepOpening<OrderSaga>;
using Undo = UndoBuilder<OrderSaga>;

template <class B>
concept CanBuild = requires(B builder) { std::move(builder).build(); };
template <class B>
concept CanStep = requires(B builder) { std::move(builder).step("next"); };
template <class B>
concept CanClose = requires(B builder) { std::move(builder).pivot(); };
template <class B, class Fn>
concept CanSend = requires(B builder, Fn fn) { std::move(builder).send("topic", fn); };

// A step that does not declare its reversibility can neither end the definition nor start a step.
static_assert(!CanBuild<Step> && !CanStep<Step> && CanClose<Step>);
static_assert(!CanBuild<Opening> && !CanStep<Opening> && !CanClose<Opening>);
static_assert(CanBuild<Builder> && CanStep<Builder> && !CanClose<Builder>);
static_assert(CanBuild<Undo> && CanStep<Undo> && !CanClose<Undo>);
// The command is made from the saga's data and nothing else.
static_assert(CanSend<Opening, ReserveStock (*)(const OrderSaga&)>);
static_assert(!CanSend<Opening, ReserveStock (*)(const std::string&)>);

ReserveStock command(const OrderSaga& saga) { return {saga.order}; }

Builder draft(std::string name = "test") {
    return saga<OrderSaga>(std::move(name), 1).starts_on<OrderPlaced>([](const OrderPlaced& e) {
        return OrderSaga{e.order};
    });
}

Step step(Builder builder, std::string name) {
    return std::move(builder).step(std::move(name)).send("stock", command).on<StockReserved>();
}

template <class Make>
std::string refusal(Make make) {
    try {
        make();
    } catch (const InvalidError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a definition that cannot work is refused with the reason") {
    const auto says = [](const std::string& text, const std::string& part) {
        CAPTURE(text);
        CHECK(text.find(part) != std::string::npos);
    };
    says(refusal([] { draft().build(); }), "has no step");
    says(refusal([] { step(saga<OrderSaga>("test", 1), "a").pivot().build(); }),
         "nothing starts it");
    says(refusal([] { step(draft("a b"), "a").pivot().build(); }), "its name");
    says(refusal([] { step(draft("a:b"), "a").pivot().build(); }), "its name");
    says(refusal([] { step(step(draft(), "a").read_only(), "a").pivot().build(); }),
         "step 'a' is there twice");
    says(refusal([] { step(step(draft(), "a").pivot(), "b").undo(command).build(); }),
         "step 'b' comes after a pivot");
    says(refusal([] { step(step(draft(), "a").retriable(), "b").pivot().build(); }),
         "step 'b' comes after a pivot or a retriable step");
    says(refusal([] { draft().step("a").send("stock", command).pivot().build(); }),
         "waits for no answer");
    says(refusal([] { step(draft(), "a").fails_on<StockReserved>().pivot().build(); }),
         "two uses for the answer 'stock.reserved'");
    says(refusal([] { step(draft(), "a").timeout(0s).pivot().build(); }), "not positive");
    says(refusal([] { step(draft(), "a").retry(every(1s).attempts(0)).pivot().build(); }),
         "never to be attempted");
    says(
        refusal([] { step(draft(), "a").undo(command).undo_fails_on<StockNotReleased>().build(); }),
        "add undone_on");
    says(refusal([] { step(draft().deadline(-1s), "a").pivot().build(); }), "deadline");
}

TEST_CASE("read-only steps may stand anywhere") {
    const auto definition =
        step(step(step(draft(), "a").read_only(), "b").pivot(), "c").read_only().build();
    CHECK(definition.plan().steps.size() == 3);
}

TEST_CASE("an undo has the waits of its step unless it has its own") {
    const auto one = step(draft(), "a").timeout(3s).retry(every(1s).attempts(7));
    const auto shared = Step{one}.undo(command).undone_on<StockReleased>().build();
    CHECK(shared.plan().steps[0].undo_timeout == 3s);
    CHECK(shared.plan().steps[0].undo_retry.attempts_max() == 7);
    const auto own = Step{one}
                         .undo(command)
                         .undone_on<StockReleased>()
                         .undo_timeout(9s)
                         .undo_retry(every(1s).attempts(2))
                         .build();
    CHECK(own.plan().steps[0].undo_timeout == 9s);
    CHECK(own.plan().steps[0].undo_retry.attempts_max() == 2);
}

TEST_CASE("a definition can be drawn") {
    const std::string chart = order_saga().mermaid();
    CAPTURE(chart);
    CHECK(chart.starts_with("flowchart TD\n"));
    CHECK(chart.find("s1[\"reserve-stock: stock.reserve (undo)\"]") != std::string::npos);
    CHECK(chart.find("s3 -. failure .-> u2") != std::string::npos);
    CHECK(chart.find("u2 --> u1") != std::string::npos);
    CHECK(chart.find("s4 -. failure") == std::string::npos);
}

TEST_CASE("the journal of a saga has a name that no other definition can have") {
    CHECK(saga_stream({"fulfil", "order-1"}).str() == "saga-fulfil:order-1");
    CHECK(saga_stream({"fulfil-order", "1"}).str() == "saga-fulfil-order:1");
    CHECK(saga_stream({"fulfil-order", "1"}).category() == "saga");
    CHECK_THROWS_AS(saga_stream({"fulfil-order", "a b"}), InvalidError);
}

TEST_SUITE_END();
