#include <doctest/doctest.h>

#include "daybook/eventstore/event_store.hpp"
#include "postgres_server.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("a program that vanishes within a unit is noticed by the server within a minute") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    store.transact([](Transaction& tx) {
        const auto setting = [&](const char* name) {
            const auto value = tx.sql().integer("SELECT current_setting(?)::bigint", name);
            REQUIRE(value);
            return *value;
        };
        const auto seconds = setting("tcp_keepalives_idle") +
                             setting("tcp_keepalives_interval") * setting("tcp_keepalives_count");
        CHECK(seconds > 0);
        CHECK(seconds <= 60);
    });
}
