#include <chrono>

#include <doctest/doctest.h>

#include "order_world.hpp"
#include "patience.hpp"
#include "store_location.hpp"

// Actions of a server's operator on a store that an orchestrator uses.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("postgres");

TEST_CASE("an orchestrator outlives a schema that is dropped and made again [B7]") {
    const PostgresSchema location;
    EventStore store = EventStore::open(location.uri());
    SagaOrchestrator sagas{store, {.sleep_max = 50ms}};
    sagas.add(order_saga());
    sagas.start();
    // So that the new log is shorter than the checkpoint in the old one.
    for (int i = 1; i <= 5; ++i)
        store.append("order-" + std::to_string(i), any_version, {OrderPlaced{std::to_string(i)}});
    CHECK(eventually([&] { return SagaIndex{store}.count() == 5; }));
    PostgresConnection admin{postgres_uri()};
    admin.query("DROP SCHEMA " + location.name() + " CASCADE");
    CHECK(eventually([&] { return !sagas.last_error().empty(); }));
    EventStore again = EventStore::open(location.uri());
    again.append("order-6", any_version, {OrderPlaced{"6"}});
    CHECK(eventually([&] { return SagaIndex{again}.count() == 1; }));
    CHECK(SagaIndex{again}.explain(OrderWorld::id("6")).state.status == SagaStatus::running);
    sagas.stop();
}

TEST_CASE("an orchestrator waits out a missing table and statements that are cancelled [B7]") {
    const PostgresSchema location;
    // This name distinguishes its connections from those of other tests.
    EventStore store = EventStore::open(location.uri() + "&application_name=" + location.name());
    SagaOrchestrator sagas{store, {.sleep_max = 50ms}};
    sagas.add(order_saga());
    sagas.start();
    PostgresConnection admin{postgres_uri()};
    const std::string table = location.name() + ".daybook_saga_start";
    admin.query("ALTER TABLE " + table + " RENAME TO away");
    store.append("order-1", any_version, {OrderPlaced{"1"}});
    CHECK(eventually([&] { return !sagas.last_error().empty(); }));
    admin.query("ALTER TABLE " + location.name() + ".away RENAME TO daybook_saga_start");
    CHECK(eventually([&] { return SagaIndex{store}.count() == 1; }));
    for (int i = 2; i <= 20; ++i) {
        store.append("order-" + std::to_string(i), any_version, {OrderPlaced{std::to_string(i)}});
        admin.query(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE state = 'active' "
            "AND query LIKE '%daybook_saga%' AND application_name = '" +
            location.name() + "'");
    }
    CHECK(eventually([&] { return SagaIndex{store}.count() == 20; }));
    // No start was recorded as failed.
    CHECK(SagaIndex{store}.count({.status = SagaStatus::running}) == 20);
    CHECK(SagaIndex{store}.failed_starts().empty());
    sagas.stop();
}

TEST_SUITE_END();
