#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"

// A transaction's BEGIN goes to the server together with the transaction's first statement, if the
// server has just replied.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

EventStore open_impatient(const PostgresSchema& schema) {
    return EventStore::open(schema.uri(), {.busy_wait_max = 100ms});
}

}  // namespace

TEST_CASE("a transaction locks out other writers from its first statement on and not before") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    EventStore other = open_impatient(schema);
    const auto can_append = [](EventStore& to) {
        try {
            to.append("thing-2", any_version, {numbered(2)});
            return true;
        } catch (const UnavailableError&) {
            return false;
        }
    };
    // On a busy machine the server's last reply may be too long ago.
    CHECK(eventually([&] {
        bool could = false;
        store.append("thing-1", any_version, {numbered(1)});
        store.transact([&](Transaction&) { could = can_append(other); });
        return could;
    }));
    store.transact([&](Transaction& tx) {
        CHECK(tx.version("thing-2") == Version{1});
        CHECK_FALSE(can_append(other));
    });
    CHECK(can_append(other));
    CHECK(store.version("thing-2") == Version{2});
}

TEST_CASE("a transaction without a statement returns the head at which it was committed") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    store.append("thing-1", no_stream, {numbered(1), numbered(2)});
    CHECK(store.transact([](Transaction&) {}).position == Position{2});
}

TEST_CASE(
    "a transaction that could not begin stores nothing, whatever its program does with the error") {
    const PostgresSchema schema;
    EventStore store = open_impatient(schema);
    PostgresConnection holder{postgres_uri()};
    holder.query("SET search_path TO " + schema.name());
    store.append("thing-1", no_stream, {numbered(1)});
    holder.query("BEGIN; SELECT daybook_lock_store()");
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        CHECK_THROWS_AS(tx.append("thing-1", any_version, {numbered(2)}), UnavailableError);
        holder.query("ROLLBACK");
        CHECK_THROWS_AS(tx.append("thing-1", any_version, {numbered(3)}), UnavailableError);
        CHECK_THROWS_AS(tx.sql().integer("SELECT 1"), UnavailableError);
    }),
                    UnavailableError);
    // If the transaction waited for its BEGIN, it has failed there and did not get to the rollback.
    holder.query("ROLLBACK");
    CHECK(store.append("thing-1", at_version(1), {numbered(4)}).position == Position{2});
}
