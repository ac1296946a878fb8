#include <doctest/doctest.h>

#include "order_world.hpp"

// D. Compensation.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("every step succeeds and the saga completes") {
    OrderWorld world;
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.effects("1") ==
          Texts{"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"});
    CHECK(world.ends("1") == Texts{"completed"});
    CHECK(world.explain().state.data.find("for stock.reserve") != std::string::npos);
    CHECK(world.count("saga_timer") == 0);
    CHECK(world.count("outbox") == 0);
}

TEST_CASE("D1: a failure undoes what was done in reverse order and one after another") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::compensating);
    CHECK(world.times_received<FreeCredit>() == 1);
    CHECK(world.times_received<ReleaseStock>() == 0);
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.settle();
    CHECK(world.times_received<ReleaseStock>() == 1);
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.explain().state.reason.find("charge failed: payment.declined") !=
          std::string::npos);
    CHECK(world.ends("1") == Texts{"compensated"});
}

TEST_CASE("D3: an undo that fails for now is tried again within a budget of its own") {
    OrderWorld world{order_saga({.attempts = 1, .undo_attempts = 3})};
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::busy, Response::busy});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.times_received<FreeCredit>() == 3);
    CHECK(world.explain().state.steps[1].undo.attempts == 3);
    CHECK(world.effects("1") ==
          Texts{"stock.reserve", "credit.hold", "credit.free", "stock.release"});
}

TEST_CASE("D4: an undo that fails for good is an incident and never compensated") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::failure});
    world.place("1");
    world.place("2");
    world.run_to_the_end();
    CHECK(world.status("1") == SagaStatus::incident);
    CHECK(world.explain("1").state.cause == IncidentCause::undo);
    CHECK(world.times_received<ReleaseStock>() == 0);
    CHECK(world.ends("1").empty());
    CHECK(world.status("2") == SagaStatus::completed);

    world.orchestrator->skip(OrderWorld::id("1"), {.actor = "ada", .reason = "freed by hand"});
    world.run_to_the_end();
    CHECK(world.status("1") == SagaStatus::failed);
    CHECK(world.step(2) == StepStatus::undo_failed);
    CHECK(world.step(1) == StepStatus::undone);
    CHECK(world.ends("1") == Texts{"failed"});
}

TEST_CASE("D4: an undo that is never answered is an incident after its last attempt") {
    OrderWorld world{order_saga({.undo_attempts = 2})};
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::lost_command});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::incident);
    CHECK(world.explain().state.steps[1].undo.attempts == 2);
    // The reply may still come; then no operator has to act.
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
}

TEST_CASE("D5: a step whose outcome is unknown is undone too and nothing to undo is accepted") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.effects("1") == Texts{"stock.reserve", "credit.free", "stock.release"});
    CHECK(world.explain().state.steps[1].forward.attempts == 3);
    CHECK(world.step(2) == StepStatus::undone);
}

TEST_CASE("D6: a step that failed for good is not undone") {
    OrderWorld world;
    world.script<HoldCredit>({Response::failure});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.step(2) == StepStatus::failed);
    CHECK(world.effects("1") == Texts{"stock.reserve", "stock.release"});
    CHECK(world.explain().state.data.find("\"refusal\":\"no\"") != std::string::npos);
}

TEST_CASE("D8: a failure after the pivot is repeated and then an incident") {
    OrderWorld world;
    world.script<Ship>({Response::failure, Response::busy});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.times_received<Ship>() == 3);

    world.script<Ship>({Response::failure, Response::failure, Response::failure});
    world.place("2");
    world.run_to_the_end();
    CHECK(world.status("2") == SagaStatus::incident);
    CHECK(world.explain("2").state.cause == IncidentCause::step);
    CHECK(world.effects("2") == Texts{"stock.reserve", "credit.hold", "payment.charge"});

    world.orchestrator->retry(OrderWorld::id("2"), {.actor = "ada", .reason = "truck is back"});
    world.run_to_the_end();
    CHECK(world.status("2") == SagaStatus::completed);
}

TEST_CASE("D8: a pivot that is never answered is an incident because its outcome is unknown") {
    OrderWorld world;
    world.script<Charge>({Response::lost_reply});
    world.place("1");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::incident);
    CHECK(world.explain().state.error.find("outcome is unknown") != std::string::npos);
    CHECK(world.times_received<FreeCredit>() == 0);
    world.reply_to(world.received<Charge>(), Charged{"1"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("D9: a cancel before the pivot compensates and ends as cancelled") {
    OrderWorld world;
    world.script<HoldCredit>({Response::busy});
    world.place("1");
    world.settle();
    CHECK(world.step(2) == StepStatus::backing_off);
    world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada", .reason = "customer called"});
    world.settle();
    CHECK(world.status() == SagaStatus::cancelled);
    CHECK(world.effects("1") == Texts{"stock.reserve", "stock.release"});
    CHECK(world.ends("1") == Texts{"cancelled"});
    CHECK(world.explain().state.reason == "cancelled by ada: customer called");
}

TEST_CASE("D10: a cancel after the pivot or while it is in flight is refused with the reason") {
    OrderWorld world;
    world.script<Charge>({Response::lost_command});
    world.script<Ship>({Response::lost_command});
    world.place("1");
    world.settle();
    const SagaId id = OrderWorld::id("1");
    CHECK_THROWS_AS(world.orchestrator->cancel(id, {.actor = "ada"}), InvalidError);
    world.reply_to(world.received<Charge>(), Charged{"1"});
    world.settle();
    REQUIRE(world.step(4) == StepStatus::running);
    try {
        world.orchestrator->cancel(id, {.actor = "ada"});
        FAIL("it was not refused");
    } catch (const InvalidError& error) {
        CHECK(std::string(error.what()).find("past the point of no return") != std::string::npos);
    }
    CHECK(world.status() == SagaStatus::running);
}

TEST_CASE("D11: a cancel while compensating or for the second time changes nothing") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    const Version before = world.explain().journal_version;
    world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada"});
    world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada"});
    CHECK(world.explain().journal_version == before);
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
}

TEST_CASE("D15: an undo gets what the step brought from the store and not computed again") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.place("1");
    world.settle();
    CHECK(world.received<ReleaseStock>().as<ReleaseStock>().detail == "for stock.reserve");
}

TEST_CASE("D16: a failure while nothing is done ends as failed without any undo") {
    OrderWorld world;
    world.script<ReserveStock>({Response::failure});
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::failed);
    CHECK(world.effects("1").empty());
    CHECK(world.times_received<ReleaseStock>() == 0);
    CHECK(world.ends("1") == Texts{"failed"});
}

TEST_CASE("D17: exactly one end is published whatever the end is") {
    OrderWorld world;
    world.script<ReserveStock>({Response::success, Response::failure});
    world.script<HoldCredit>({Response::success, Response::failure});
    for (const char* order : {"1", "2", "3"}) world.place(order);
    world.run_to_the_end();
    CHECK(world.status("1") == SagaStatus::completed);
    CHECK(world.status("2") == SagaStatus::failed);
    CHECK(world.status("3") == SagaStatus::compensated);
    CHECK(world.ends("1") == Texts{"completed"});
    CHECK(world.ends("2") == Texts{"failed"});
    CHECK(world.ends("3") == Texts{"compensated"});
}

TEST_CASE("an undo without a reply counts as done when it is in the outbox") {
    OrderWorld world{order_saga({.undo_answered = false})};
    world.script<HoldCredit>({Response::failure});
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.effects("1") == Texts{"stock.reserve", "stock.release"});
    bool sent = false;
    for (const auto& text : world.history()) sent = sent || text.starts_with("saga.undo-sent");
    CHECK(sent);
}
