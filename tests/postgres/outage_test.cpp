#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "postgres_server.hpp"

// Outages that end by themselves: every call fails with an error that says it may be tried again,
// and succeeds once the outage is over.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

void read_everything(const EventStore& store) {
    for (const EventView event : store.read_all()) CHECK(event.position() != Position{0});
}

/// A text of the first event of a range.
template <class Member>
std::string first_of(EventRange range, Member member) {
    for (const EventView event : range) return std::string((event.*member)());
    return "";
}

/// Checks that every way to use the store is refused as unavailable.
void expect_unavailable(EventStore& store) {
    CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(1)}), UnavailableError);
    CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(1), numbered(2)}),
                    UnavailableError);
    CHECK_THROWS_AS(
        store.transact([](Transaction& tx) { tx.append("thing-1", any_version, {numbered(1)}); }),
        UnavailableError);
}

void expect_readers_unavailable(EventStore& store) {
    CHECK_THROWS_AS(static_cast<void>(store.head()), UnavailableError);
    CHECK_THROWS_AS(static_cast<void>(store.version("thing-1")), UnavailableError);
    CHECK_THROWS_AS(read_everything(store), UnavailableError);
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("a schema that is dropped and created again is an outage and not an end [B7]") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    store.append("thing-1", any_version, {numbered(1), numbered(2)});
    store.append("thing-2", any_version, {numbered(1, "thing.seen")});
    read_everything(store);
    PostgresConnection server{postgres_uri()};
    server.query("DROP SCHEMA " + schema.name() + " CASCADE");
    expect_unavailable(store);
    expect_readers_unavailable(store);
    CHECK_THROWS_AS(static_cast<void>(store.wait_beyond(Position{100}, 0ms, {})), UnavailableError);

    EventStore anew = EventStore::open(schema.uri());
    anew.append("other-1", any_version, {numbered(7, "other.happened")});
    CHECK(store.head() == Position{1});
    CHECK(first_of(store.read_all(), &EventView::stream) == "other-1");
    CHECK(store.append("thing-1", no_stream, {numbered(3)}).position == Position{2});
    store.transact([](Transaction& tx) { tx.append("thing-1", at_version(1), {numbered(4)}); });
    CHECK(anew.head() == Position{3});
}

TEST_CASE("a store that has replaced another one is read with its own names [B7]") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    store.append("thing-1", any_version, {numbered(1)});
    store.append("thing-2", any_version, {numbered(2, "thing.seen")});
    read_everything(store);
    CHECK(first_of(store.read("thing-1"), &EventView::type) == "thing.counted");
    PostgresConnection server{postgres_uri()};
    server.query("ALTER SCHEMA " + schema.name() + " RENAME TO \"" + schema.name() + "-rm-old\"");
    EventStore other = EventStore::open(schema.uri());
    // A store with the same numbers for other names.
    other.append("else-1", any_version, {numbered(1, "else.happened")});
    other.append("thing-1", any_version, {numbered(2, "else.seen")});
    CHECK(first_of(store.read("thing-1"), &EventView::type) == "else.seen");
    CHECK(first_of(store.read_all(), &EventView::stream) == "else-1");
    CHECK(first_of(store.read_all(), &EventView::type) == "else.happened");
}

TEST_CASE("a server that only reads is an outage, and the writer connects anew after it [B7]") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri());
    store.append("thing-1", any_version, {numbered(1)});
    PostgresConnection server{postgres_uri()};
    const std::string in_schema = schema.name() + ".";
    // As a server that has become a standby refuses it.
    server.query("CREATE FUNCTION " + in_schema +
                 "refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'kann "
                 "nicht' USING ERRCODE = 'read_only_sql_transaction'; END $$; CREATE TRIGGER "
                 "refuse BEFORE INSERT ON " +
                 in_schema + "daybook_event EXECUTE FUNCTION " + in_schema + "refuse()");
    expect_unavailable(store);
    CHECK(store.head() == Position{1});
    server.query("DROP TRIGGER refuse ON " + in_schema + "daybook_event");
    CHECK(store.append("thing-1", at_version(1), {numbered(2)}).position == Position{2});
    store.transact([](Transaction& tx) { tx.append("thing-1", at_version(2), {numbered(3)}); });
    // A program that writes in a read-only query has made a mistake; that is not an outage.
    CHECK_THROWS_AS(store.query([](Sql& sql) { sql.exec("CREATE TABLE mine(n INT)"); }),
                    InvalidError);
}

TEST_CASE("a table that another program has locked is an outage [B7]") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri(), {.busy_wait_max = 100ms});
    store.append("thing-1", any_version, {numbered(1)});
    PostgresConnection server{postgres_uri()};
    server.query("BEGIN; LOCK TABLE " + schema.name() + ".daybook_event IN ACCESS EXCLUSIVE MODE");
    expect_unavailable(store);
    expect_readers_unavailable(store);
    server.query("ROLLBACK");
    CHECK(store.append("thing-1", at_version(1), {numbered(2)}).position == Position{2});
    read_everything(store);
}

TEST_CASE("connections that an administrator has ended are replaced [B7]") {
    const PostgresSchema schema;
    EventStore store = EventStore::open(schema.uri() + "&application_name=" + schema.name());
    PostgresConnection server{postgres_uri()};
    for (int i = 1; i <= 3; ++i) {
        store.append("thing-1", any_version, {numbered(1)});
        read_everything(store);
        server.query(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity "
            "WHERE application_name = '" +
            schema.name() + "'");
        CHECK_NOTHROW(read_everything(store));
        CHECK_NOTHROW(store.transact(
            [](Transaction& tx) { tx.append("thing-1", any_version, {numbered(2)}); }));
    }
    CHECK(store.head() == Position{6});
}

TEST_CASE("a version table without a row is an error that names it [B7]") {
    const PostgresSchema schema;
    EventStore::open(schema.uri()).append("thing-1", any_version, {numbered(1)});
    PostgresConnection server{postgres_uri()};
    server.query("DELETE FROM " + schema.name() + ".daybook_schema");
    CHECK_THROWS_WITH_AS(EventStore::open(schema.uri()), doctest::Contains("daybook_schema"),
                         CorruptError);
}

TEST_CASE("a missing database is refused though the error messages are in another language [B7]") {
    const std::string uri = postgres_uri();
    const std::string missing = uri.substr(0, uri.rfind('/')) + "/no_such_database";
    CHECK_THROWS_AS(EventStore::open(missing), NotFoundError);
    CHECK_THROWS_AS(EventStore::open(missing + "?options=-clc_messages%3Dde_DE.UTF-8"), Error);
}

TEST_SUITE_END();
