#include <doctest/doctest.h>

#include "order_world.hpp"

// B. Replies that are duplicated, late, out of order or unreadable.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

bool mentions(const Texts& history, const std::string& type, const std::string& text) {
    for (const auto& entry : history)
        if (entry.starts_with(type) && entry.find(text) != std::string::npos) return true;
    return false;
}

}  // namespace

TEST_CASE("B1: a duplicate reply is ignored and counted") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    // A second message with the same reply, as a participant without an inbox would send it.
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1", "again"});
    world.settle();
    CHECK(world.explain().state.ignored == 1);
    CHECK(world.step(2) == StepStatus::running);
    CHECK(world.times_received<HoldCredit>() == 1);
    CHECK(world.explain().state.data.find("again") == std::string::npos);
}

TEST_CASE("B1: the very same reply message delivered twice is applied once") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.orchestrator->run_once();
    world.relay->run_once();
    const auto waiting = outbox_list(world.store);
    REQUIRE(waiting.size() == 1);
    const Message reply = waiting[0].message;
    world.settle();
    const Version before = world.explain().journal_version;
    CHECK(world.transport->deliver(reply).status == Delivery::Status::delivered);
    CHECK(world.explain().journal_version == before);
}

TEST_CASE("B2: a reply for a step already passed is ignored and stands in the history") {
    OrderWorld world;
    world.script<Charge>({Response::lost_command});
    world.place("1");
    world.settle();
    world.reply_to(world.received<ReserveStock>(), StockRefused{"1", "too late"});
    world.settle();
    CHECK(world.step(1) == StepStatus::done);
    CHECK(world.step(3) == StepStatus::running);
    CHECK(world.explain().state.ignored == 1);
    CHECK(mentions(world.history(), "saga.ignored", "reserve-stock"));
}

TEST_CASE("B3: a late success after the timeout is recorded and that step is undone") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_reply, Response::lost_reply, Response::lost_reply});
    world.script<FreeCredit>({Response::lost_command});
    world.place("1");
    world.run_for(16s);
    REQUIRE(world.step(2) == StepStatus::undoing);
    world.reply_to(world.received<HoldCredit>(), CreditHeld{"1", "late"});
    world.settle();
    CHECK(mentions(world.history(), "saga.replied", "late"));
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    // Once more, because the first undo was sent before the late success was known.
    CHECK(world.times_received<FreeCredit>() == 2);
    CHECK(world.step(2) == StepStatus::undone);
    CHECK(world.step(1) == StepStatus::undone);
}

TEST_CASE("B4: a late failure after the timeout is only recorded") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.script<FreeCredit>({Response::lost_command});
    world.place("1");
    world.run_for(16s);
    REQUIRE(world.step(2) == StepStatus::undoing);
    world.reply_to(world.received<HoldCredit>(), CreditRefused{"1", "late"});
    world.settle();
    CHECK(world.step(2) == StepStatus::undoing);
    CHECK(mentions(world.history(), "saga.ignored", "late failure"));
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.times_received<FreeCredit>() == 1);
}

TEST_CASE("B5: an undo waits for the step that is in flight and never overtakes it") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada", .reason = "wrong order"});
    world.settle();
    CHECK(world.step(2) == StepStatus::running);
    CHECK(world.times_received<FreeCredit>() == 0);
    world.reply_to(world.received<HoldCredit>(), CreditHeld{"1", "h"});
    world.settle();
    CHECK(world.status() == SagaStatus::cancelled);
    CHECK(world.effects("1") == Texts{"stock.reserve", "credit.free", "stock.release"});
}

TEST_CASE("B6: a reply after the end is dropped and counted") {
    OrderWorld world;
    world.place("1");
    world.settle();
    REQUIRE(world.status() == SagaStatus::completed);
    world.reply_to(world.received<Ship>(), ShipmentFailed{"1", "lost it"});
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.explain().state.ignored == 1);
}

TEST_CASE("B6: a late success after the saga was compensated opens an incident") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_reply});
    world.place("1");
    world.run_to_the_end();
    REQUIRE(world.status() == SagaStatus::compensated);
    world.reply_to(world.received<HoldCredit>(), CreditHeld{"1", "very late"});
    world.settle();
    CHECK(world.status() == SagaStatus::incident);
    CHECK(world.explain().state.cause == IncidentCause::late);

    world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada"});
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.times_received<FreeCredit>() == 2);
    CHECK(world.ends("1") == Texts{"compensated"});
}

TEST_CASE("B7: a reply for an unknown saga is parked after a while and not thrown away") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    Message command = world.received<ReserveStock>();
    const auto at = command.headers.find("\"key\":\"1\"");
    REQUIRE(at != std::string::npos);
    command.headers.replace(at, 9, "\"key\":\"2\"");
    command.key = "fulfil-order/2";
    world.reply_to(command, StockReserved{"2"});
    world.run_for(10min);
    const auto letters = DeadLetters{world.store}.list({.topic = "saga.fulfil-order"});
    REQUIRE(letters.size() == 1);
    CHECK(letters[0].error.find("no saga fulfil-order/2") != std::string::npos);
}

TEST_CASE("B7: a message that answers no saga at all is parked at once") {
    OrderWorld world;
    world.store.transact(
        [](Transaction& tx) { tx.publish("saga.fulfil-order", StockReserved{"1"}, {.key = "k"}); });
    world.settle();
    CHECK(world.count("dead_letter") == 1);
}

TEST_CASE("B9: the answer to an earlier attempt does not decide about a later one") {
    OrderWorld world;
    world.script<ReserveStock>({Response::busy, Response::lost_command});
    world.place("1");
    world.settle();
    const Message first = world.received<ReserveStock>();
    world.run_for(1s);
    REQUIRE(world.times_received<ReserveStock>() == 2);
    CHECK(world.received<ReserveStock>().id != first.id);
    world.reply_to(first, StockRefused{"1", "old news"});
    world.settle();
    CHECK(world.step(1) == StepStatus::running);
    CHECK(world.explain().state.ignored == 1);
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("B10: of contradicting replies the first wins") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    const Message command = world.received<ReserveStock>();
    world.reply_to(command, StockRefused{"1", "none left"});
    world.reply_to(command, StockReserved{"1", "found one"});
    world.settle();
    CHECK(world.status() == SagaStatus::failed);
    CHECK(world.explain().state.ignored == 1);
}

TEST_CASE("B11: a reply that cannot be read holds this saga only") {
    OrderWorld world;
    world.script<ReserveStock>({Response::unreadable_reply});
    world.place("1");
    world.settle();
    world.place("2");
    world.settle();
    CHECK(world.status("1") == SagaStatus::incident);
    CHECK(world.explain("1").state.cause == IncidentCause::reply);
    CHECK(world.explain("1").state.held.has_value());
    CHECK(world.status("2") == SagaStatus::completed);
    // A retry with the same program fails in the same way, and changes nothing.
    const Version before = world.explain("1").journal_version;
    CHECK_THROWS_AS(world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada"}), InvalidError);
    CHECK(world.explain("1").journal_version == before);

    world.orchestrator->complete(OrderWorld::id("1"), {.actor = "ada", .reason = "rang them up"},
                                 StockReserved{"1", "by phone"});
    world.settle();
    CHECK(world.status("1") == SagaStatus::completed);
    CHECK(world.explain("1").state.data.find("by phone") != std::string::npos);
}

TEST_CASE("B11: a reply that was held is applied by a program that can read it") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    // A reply of a type that the step does not define, from a participant of a newer build.
    world.reply_to(world.received<ReserveStock>(), Shipped{"1"});
    world.settle();
    REQUIRE(world.status() == SagaStatus::incident);
    CHECK(world.orchestrator->next_due() == std::nullopt);
    CHECK(world.explain().state.error.find("knows no answer shipment.shipped") !=
          std::string::npos);
    // The right reply still takes effect.
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("B12: two identical start events create one saga") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.store.append("order-1", any_version, {OrderPlaced{"1"}, OrderPlaced{"1"}});
    world.settle();
    CHECK(world.count("saga") == 1);
    CHECK(world.times_received<ReserveStock>() == 1);
    CHECK(world.explain().state.ignored == 1);
    CHECK(world.explain().state.generation == 1);
}

TEST_CASE("E5: an orchestrator that has seen less of the log does not start anything again") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    SagaOrchestrator slow{world.store};
    slow.add(world.definition);
    CHECK(slow.run_once() == 0);
    world.store.append("order-1", any_version, {OrderPlaced{"1"}, OrderPlaced{"1"}});
    world.settle();
    const Version before = world.explain().journal_version;
    CHECK(slow.run_once() == 0);
    CHECK(world.explain().journal_version == before);
}

TEST_CASE("a start that fails is an incident of its own that can be retried") {
    OrderWorld world;
    world.store.append("order-1", any_version, {OrderPlaced{"1", "unusable"}});
    world.place("2");
    world.settle();
    CHECK(world.status("1") == SagaStatus::incident);
    CHECK(world.explain("1").state.cause == IncidentCause::start);
    CHECK(world.status("2") == SagaStatus::completed);
    CHECK_THROWS_AS(world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada"}), InvalidError);
    CHECK(world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada"}).state.status ==
          SagaStatus::cancelled);
}

TEST_CASE("an event that names no usable key still starts a saga that can be seen") {
    OrderWorld world;
    world.store.append("reopening-1", any_version, {OrderReopened{"not a key"}});
    world.settle();
    const auto sagas = SagaIndex{world.store}.list();
    REQUIRE(sagas.size() == 1);
    CHECK(sagas[0].status == SagaStatus::incident);
    CHECK(sagas[0].error.find("key is unusable") != std::string::npos);
    CHECK(world.count("outbox") == 0);
}

TEST_CASE("a command that cannot be made holds the saga and nothing is sent") {
    OrderWorld world;
    world.place("unsendable");
    world.settle();
    CHECK(world.status("unsendable") == SagaStatus::incident);
    CHECK(world.explain("unsendable").state.cause == IncidentCause::send);
    CHECK(world.count("outbox") == 0);
    CHECK(world.count("saga_timer") == 0);
}
