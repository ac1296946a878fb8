#include <chrono>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "postgres_server.hpp"
#include "wire_proxy.hpp"

// Neither side of a connection waits for ever.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

TEST_CASE("a program that vanishes within a transaction is noticed by the server within a minute") {
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

TEST_CASE("a script may take longer than an answer as long as the server is at work on it") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri(), {.busy_wait_max = 1s, .reply_wait_max = 1s});
    store.transact([](Transaction& tx) { tx.sql().script("SELECT pg_sleep(3)"); });
}

TEST_CASE("a script whose connection stalls is given up") {
    using Way = WireProxy::Direction;
    WireProxy proxy{postgres_uri()};
    const PostgresSchema schema;
    EventStore store = EventStore::open(proxy.uri() + "?schema=" + schema.name(),
                                        {.busy_wait_max = 1s, .reply_wait_max = 1s});
    for (const Way way : {Way::to_server, Way::to_client}) {
        const auto transaction = [&](Transaction& tx) {
            proxy.arm({way, 1, WireProxy::Action::stall});
            tx.sql().script("CREATE TABLE thing(n bigint)");
        };
        CHECK_THROWS_AS(store.transact(transaction), UnavailableError);
        proxy.heal();
    }
}
