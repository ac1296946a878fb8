#include <algorithm>

#include <doctest/doctest.h>

#include "daybook/eventstore/store_access.hpp"
#include "order_world.hpp"

// G. Operators and definitions.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

bool can(const SagaExplanation& saga, SagaAction action) {
    return std::ranges::find(saga.legal_actions, action) != saga.legal_actions.end();
}

struct Tables {
    Texts rows;
    static Tables of(const EventStore& store) {
        Tables tables;
        store.query([&](Sql& sql) {
            for (const char* table : {"daybook_saga", "daybook_saga_timer"}) {
                const std::string statement =
                    "SELECT * FROM " + std::string(table) + " ORDER BY 1, 2, 3";
                sql.each(statement, [&](const SqlRow& row) {
                    std::string text{table};
                    for (int i = 0; i < row.columns(); ++i) text += "|" + std::string(row.text(i));
                    tables.rows.push_back(text);
                });
            }
        });
        return tables;
    }
};

}  // namespace

TEST_CASE("explain says what a saga waits for and until when and what an operator may do") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    const SagaExplanation saga = world.explain();
    CHECK(saga.waiting_for == "the answer to hold-credit");
    CHECK(saga.since == OrderWorld::morning);
    CHECK(saga.until == OrderWorld::morning + 5s);
    CHECK(saga.legal_actions ==
          std::vector{SagaAction::skip, SagaAction::complete, SagaAction::cancel});
    const std::string text = saga.text();
    CAPTURE(text);
    CHECK(text.find("fulfil-order/1 (version 1): running") != std::string::npos);
    CHECK(text.find("since 2016-07-04T08:00:00") != std::string::npos);
    CHECK(text.find("> 2") != std::string::npos);
    CHECK(text.find("an operator may: skip complete cancel") != std::string::npos);
    CHECK_THROWS_AS(SagaIndex{world.store}.explain({"fulfil-order", "none"}), NotFoundError);
}

TEST_CASE("G1: a saga whose definition has changed its shape is held and the others run") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.definition = order_saga({.undo_answered = false});
    world.restart();
    world.clock->advance(1h);
    world.place("2");
    world.settle();
    CHECK(world.status("1") == SagaStatus::running);
    CHECK(world.status("2") == SagaStatus::completed);
    const auto unknown = world.orchestrator->unknown();
    REQUIRE(unknown.size() == 1);
    CHECK(unknown[0].id == OrderWorld::id("1"));
    CHECK_THROWS_AS(world.orchestrator->cancel(OrderWorld::id("1"), {.actor = "ada"}),
                    UnavailableError);
}

TEST_CASE("G2: a running saga keeps its version and a new one takes the newest") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.restart();
    world.orchestrator->add(order_saga({.version = 2}));
    world.place("2");
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.settle();
    CHECK(world.explain("1").state.version == 1);
    CHECK(world.status("1") == SagaStatus::completed);
    CHECK(world.explain("2").state.version == 2);
    CHECK(world.status("2") == SagaStatus::completed);
    CHECK_THROWS_AS(world.orchestrator->add(order_saga({.version = 2})), InvalidError);
}

TEST_CASE("G3: a changed budget is not a changed definition" * doctest::test_suite("no-store")) {
    CHECK(order_saga({.timeout = 1s, .attempts = 9}).hash() == order_saga().hash());
    CHECK(order_saga({.version = 2}).hash() != order_saga().hash());
    CHECK(order_saga({.undo_answered = false}).hash() != order_saga().hash());
}

TEST_CASE("G4: a saga of an unknown version waits and its answers are not lost") {
    OrderWorld world{order_saga({.version = 2})};
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.definition = order_saga({.version = 1});
    world.restart();
    world.clock->advance(1h);
    CHECK(world.orchestrator->run_once() == 0);
    CHECK(world.orchestrator->unknown().size() == 1);
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.run_for(10min);
    CHECK(world.count("dead_letter") == 1);

    world.definition = order_saga({.version = 2});
    world.restart();
    DeadLetters{world.store}.replay({.topic = "saga.fulfil-order"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("an answer for a version that only the newer build knows is left to that build [B9]") {
    OrderWorld older{order_saga({.version = 1})};
    LocalTransport transport{older.store};
    SagaOrchestrator sagas{older.store, transport};
    sagas.add(order_saga({.version = 1}));
    sagas.add(order_saga({.version = 2}));
    Relay relay{older.store, transport, {.name = "newer"}};
    older.place("1");
    sagas.run_once();
    // The older build delivers the command to its participant, and the reply to no consumer.
    older.settle();
    CHECK(older.explain().state.version == 2);
    CHECK(older.times_received<ReserveStock>() == 1);
    CHECK(older.explain().state.steps[0].status == StepStatus::running);
    CHECK(older.count("dead_letter") == 0);
    // Its leases end with it; otherwise the two relays would share the partitions.
    older.relay.reset();
    older.clock->advance(1min);
    while (relay.run_once() > 0) {}
    CHECK(older.explain().state.steps[0].status == StepStatus::done);
    CHECK(older.count("dead_letter") == 0);
}

TEST_CASE("G7: making the index new from the journals sends nothing and changes nothing") {
    OrderWorld world;
    world.script<ReserveStock>({Response::success, Response::lost_command});
    world.script<Charge>({Response::lost_command});
    world.place("1");
    world.settle();
    world.place("2");
    world.settle();
    world.place("3");
    world.settle();
    const Tables before = Tables::of(world.store);
    const Position head = world.store.head();
    world.store.transact([](Transaction& tx) {
        detail::store_sql(tx).exec("DELETE FROM daybook_saga");
        detail::store_sql(tx).exec("DELETE FROM daybook_saga_timer");
    });
    CHECK(SagaIndex{world.store}.rebuild() == 3);
    CHECK(Tables::of(world.store).rows == before.rows);
    CHECK(world.store.head() == head);
    CHECK(world.count("outbox") == 0);
    world.settle();
    CHECK(world.times_received<ReserveStock>() == 3);
}

TEST_CASE("G8: an operator's action on an older state is refused") {
    OrderWorld world;
    world.script<Ship>({Response::failure, Response::failure, Response::failure});
    world.place("1");
    world.run_to_the_end();
    const Version seen = world.explain().journal_version;
    world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada", .seen = seen});
    CHECK_THROWS_AS(world.orchestrator->retry(OrderWorld::id("1"), {.actor = "bob", .seen = seen}),
                    ConflictError);
}

TEST_CASE("G8: a step that is running cannot be retried") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    CHECK_FALSE(can(world.explain(), SagaAction::retry));
    CHECK_THROWS_AS(world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada"}), InvalidError);
}

TEST_CASE("G9: a skipped step is marked so and not undone") {
    OrderWorld world;
    world.script<HoldCredit>({Response::lost_command});
    world.script<Charge>({Response::failure});
    world.place("1");
    world.settle();
    world.orchestrator->skip(OrderWorld::id("1"), {.actor = "ada", .reason = "cash"});
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.step(2) == StepStatus::skipped);
    CHECK(world.explain().state.steps[1].note == "skip by ada: cash");
    CHECK(world.times_received<FreeCredit>() == 0);
    CHECK(world.effects("1") == Texts{"stock.reserve", "stock.release"});
}

TEST_CASE("G10: a step completed by hand takes a reply of the right type and says who and why") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    const SagaId id = OrderWorld::id("1");
    CHECK_THROWS_AS(world.orchestrator->complete(id, {.actor = "ada"}, Shipped{"1"}), InvalidError);
    CHECK_THROWS_AS(world.orchestrator->complete(id, {.actor = "ada"}, StockRefused{"1"}),
                    InvalidError);
    CHECK_THROWS_AS(world.orchestrator->complete(id, {.actor = "ada"}), InvalidError);
    CHECK_THROWS_AS(world.orchestrator->complete_json(id, {.actor = "ada"}, "{\"order\":1}"),
                    InvalidError);
    CHECK_THROWS_AS(world.orchestrator->complete(id, {.actor = ""}, StockReserved{"1"}),
                    InvalidError);
    world.orchestrator->complete_json(id, {.actor = "ada", .reason = "counted"},
                                      R"({"order":"1","detail":"shelf 9"})");
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.explain().state.data.find("shelf 9") != std::string::npos);
    bool recorded = false;
    for (const auto& entry : SagaIndex{world.store}.history(id))
        recorded = recorded || entry.input.find("\"actor\":\"ada\"") != std::string::npos;
    CHECK(recorded);
}

TEST_CASE("G11: going on after an incident has a fresh budget and keeps the history") {
    OrderWorld world;
    world.script<Ship>(
        {Response::failure, Response::failure, Response::failure, Response::busy, Response::busy});
    world.place("1");
    world.run_to_the_end();
    REQUIRE(world.status() == SagaStatus::incident);
    const auto entries = world.history().size();
    world.orchestrator->retry(OrderWorld::id("1"), {.actor = "ada"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.times_received<Ship>() == 6);
    CHECK(world.history().size() > entries);
}

TEST_CASE("a list shows sagas by status and page by page") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command, Response::success, Response::failure});
    for (const char* order : {"1", "2", "3"}) world.place(order);
    world.settle();
    const SagaIndex index{world.store};
    CHECK(index.count() == 3);
    CHECK(index.count({.unfinished = true}) == 1);
    const auto failed = index.list({.definition = "fulfil-order", .status = SagaStatus::failed});
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].id.key == "3");
    CHECK(failed[0].error.find("reserve-stock failed") != std::string::npos);
    const auto first = index.list({.limit = 2});
    REQUIRE(first.size() == 2);
    CHECK(first[0].step == "reserve-stock");
    CHECK(first[0].due_at == OrderWorld::morning + 5s);
    const auto rest = index.list({.limit = 2, .after = first[1].id});
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].id.key == "3");
    CHECK(index.list({.definition = "no-such"}).empty());
}

TEST_CASE("correlation flows from the order to every command") {
    OrderWorld world;
    world.place("1");
    world.settle();
    EventId order;
    for (const EventView event : world.store.read("order-1")) order = event.correlation();
    CHECK(world.received<Ship>().trace.correlation == order);
    for (const EventView event : world.store.read(saga_stream(OrderWorld::id("1"))))
        CHECK(event.correlation() == order);
}
