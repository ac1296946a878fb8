#include <stdexcept>

#include <doctest/doctest.h>

#include "daybook/eventstore/recorded_batch.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "order_world.hpp"
#include "store_location.hpp"

// The journals of sagas: their contents, and that only the orchestrator writes them.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

// Appends a foreign event to a journal, as older programs could. Copying a log is the only way in
// which that is still possible.
void leave_note(EventStore& store, const std::string& order, std::uint64_t version) {
    RecordedBatch batch;
    batch.add(saga_stream(OrderWorld::id(order)), Version{version}, OrderWorld::morning,
              NewEvent{EventType{"note.taken", 1}, R"({"by":"me"})"});
    store.transact([&](Transaction& tx) { detail::append_whole_log(tx, batch); });
}

}  // namespace

TEST_CASE("only the orchestrator appends to the journal of a saga [A4]") {
    auto store = new_store();
    const StreamName journal = saga_stream({"fulfil-order", "1"});
    CHECK(journal.is_reserved());
    CHECK(StreamName{"saga"}.is_reserved());
    CHECK_FALSE(StreamName{"sagas-1"}.is_reserved());
    const std::vector<NewEvent> events{NewEvent{EventType{"note.taken", 1}, "{}"}};
    RecordedBatch batch;
    batch.add(journal, Version{1}, OrderWorld::morning, events.front());
    CHECK_THROWS_AS(store.append(journal, any_version, events), InvalidError);
    CHECK_THROWS_AS(store.try_append(journal, any_version, events), InvalidError);
    CHECK_THROWS_AS(store.append_async(journal, any_version, events), InvalidError);
    CHECK_THROWS_AS(
        store.transact([&](Transaction& tx) { tx.append(journal, any_version, events); }),
        InvalidError);
    CHECK_THROWS_AS(
        store.transact([&](Transaction& tx) { tx.try_append(journal, any_version, events); }),
        InvalidError);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) { tx.append_recorded(batch); }),
                    InvalidError);
    CHECK(store.head() == Position{0});
}

TEST_CASE("an event of another program in a journal is skipped and reported [A4]") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    leave_note(world.store, "1", world.explain().journal_version.value() + 1);
    const SagaExplanation seen = world.explain();
    CHECK(seen.state.status == SagaStatus::running);
    CHECK(seen.foreign_events == 1);
    CHECK(seen.text().find("that others wrote, passed over: 1") != std::string::npos);
    CHECK(world.history().back().find("note.taken passed over") != std::string::npos);
    CHECK(SagaIndex{world.store}.rebuild() == 1);
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.explain().foreign_events == 1);
}

TEST_CASE("a journal that another program has started does not keep its saga from starting [A4]") {
    OrderWorld world;
    leave_note(world.store, "1", 1);
    CHECK_THROWS_AS(world.explain(), NotFoundError);
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.explain().foreign_events == 1);
}

TEST_CASE("what a saga's incident says keeps its letters and loses only what is no text [E18]") {
    OrderWorld world;
    SagaOrchestrator sagas{world.store};
    sagas.add(saga<OrderSaga>("letters", 1)
                  .starts_on<OrderPlaced>([](const OrderPlaced&) -> OrderSaga {
                      throw std::runtime_error{"Größe 42 für Zoë, 注文\x1B[2J\xFF"};
                  })
                  .step("one")
                  .send("stock", [](const OrderSaga& data) { return ReserveStock{data.order}; })
                  .on<StockReserved>()
                  .read_only()
                  .build());
    world.place("1");
    CHECK(sagas.run_once() == 1);
    const std::string error = sagas.explain({"letters", "1"}).state.error;
    CAPTURE(error);
    CHECK(error.find("Größe 42 für Zoë, 注文?[2J\uFFFD") != std::string::npos);
    const auto listed = SagaIndex{world.store}.list({.definition = "letters"});
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].error == error);
}

TEST_CASE("explain names the parked command that a saga waits for [E22]") {
    OrderWorld world;
    world.set_responder([](const Message&, const std::string&) -> Response {
        throw InvalidError{"no such shelf"};
    });
    world.place("1");
    world.settle();
    const auto letters = DeadLetters{world.store}.list();
    REQUIRE(letters.size() == 1);
    const std::string id = letters[0].message.id.to_string();
    const SagaExplanation saga = world.explain();
    REQUIRE(saga.dead_letters.size() == 1);
    CHECK(saga.dead_letters[0].id == letters[0].message.id);
    CHECK(saga.dead_letters[0].topic == "stock");
    CHECK(saga.waiting_for.find(id) != std::string::npos);
    CHECK(saga.waiting_for.find("no such shelf") != std::string::npos);
    CHECK(saga.text().find("dead letter " + id) != std::string::npos);
    // A message of the program with the same key does not belong to the saga.
    world.store.transact([](Transaction& tx) {
        tx.publish("nowhere", Effect{"1"}, {.key = OrderWorld::id("1").to_string()});
    });
    world.settle();
    CHECK(world.explain().dead_letters.size() == 1);
}
