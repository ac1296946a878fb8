#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "postgres_server.hpp"
#include "store_location.hpp"

// What the defaults of a session, and statements kept in it, must not change.

using namespace daybook;
using namespace daybook::test;

namespace {

/// `uri` with defaults as a role or a database may have them.
std::string with_defaults(const std::string& uri, const std::vector<std::string>& settings) {
    std::string options = "&options=";
    for (const std::string& setting : settings) {
        options += "-c%20";
        for (const char c : setting) {
            if (c == ' ')
                options += "%5C%20";
            else if (c == '=')
                options += "%3D";
            else
                options += c;
        }
        options += "%20";
    }
    return uri + options;
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("writers of a database with another default isolation all succeed [C11]") {
    for (const std::string isolation : {"repeatable read", "serializable"}) {
        CAPTURE(isolation);
        const PostgresSchema schema;
        const std::string uri =
            with_defaults(schema.uri(), {"default_transaction_isolation=" + isolation,
                                         "default_transaction_read_only=on",
                                         "default_transaction_deferrable=on"});
        EventStore first = EventStore::open(uri);
        std::vector<std::jthread> writers;
        for (int writer = 0; writer < 3; ++writer) {
            writers.emplace_back([&, writer] {
                EventStore store = EventStore::open(uri);
                for (int i = 0; i < 30; ++i) {
                    CHECK_NOTHROW(store.append("thing-" + std::to_string(writer), any_version,
                                               {numbered(1)}));
                    CHECK_NOTHROW(store.transact(
                        [&](Transaction& tx) { tx.append("all-1", any_version, {numbered(2)}); }));
                }
            });
        }
        writers.clear();
        CHECK(first.head() == Position{180});
        CHECK(first.version("all-1") == Version{90});
    }
}

TEST_CASE("values come back as they were stored whatever the session's defaults are [C11]") {
    const PostgresSchema schema;
    const std::string uri = with_defaults(
        schema.uri(), {"bytea_output=escape", "extra_float_digits=-15", "statement_timeout=500",
                       "lock_timeout=500", "idle_in_transaction_session_timeout=500",
                       "DateStyle=German", "IntervalStyle=sql_standard", "TimeZone=Asia/Tokyo",
                       "search_path=pg_catalog", "standard_conforming_strings=off",
                       "synchronous_commit=off", "row_security=off", "transform_null_equals=on",
                       "array_nulls=off", "client_encoding=LATIN1", "enable_indexscan=off"});
    EventStore store = EventStore::open(uri);
    const std::uint8_t raw[] = {0, 1, 0x5c, 'a', 0xff, 0x7f, 0x80};
    NewEvent event = numbered(1);
    event.data = "{\"name\":\"\u00fc\u4e16\"}";
    store.append("thing-1", any_version, {event});
    store.transact([&](Transaction& tx) {
        tx.sql().script("CREATE TABLE mine(b BYTEA, d DOUBLE PRECISION, t TEXT, w TIMESTAMPTZ)");
        tx.sql().exec("INSERT INTO mine VALUES(?, ?, 'a\\b', TIMESTAMPTZ '2024-05-06 07:08:09Z')",
                      SqlValue{SqlValue::Bytes{raw}}, 0.1 + 0.2);
        std::this_thread::sleep_for(std::chrono::milliseconds{700});
        CHECK(tx.sql().integer("SELECT count(*) FROM mine, pg_sleep(0.7)") == 1);
    });
    store.query([&](Sql& sql) {
        CHECK(sql.each("SELECT b, d, t, w FROM mine", [&](const SqlRow& row) {
            const auto bytes = row.bytes(0);
            CHECK(std::vector<std::uint8_t>(bytes.begin(), bytes.end()) ==
                  std::vector<std::uint8_t>(std::begin(raw), std::end(raw)));
            CHECK(row.real(1) == 0.1 + 0.2);
            CHECK(row.text(2) == "a\\b");
            CHECK(row.text(3) == "2024-05-06 07:08:09+00");
        }) == 1);
    });
    for (const EventView stored : store.read("thing-1")) CHECK(stored.data() == event.data);
}

TEST_CASE("what a statement is given first does not decide what it takes later [C12]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        tx.sql().script("CREATE TABLE mine(n NUMERIC, d DOUBLE PRECISION, t TEXT)");
        Sql& sql = tx.sql();
        const char* const number = "INSERT INTO mine(n) VALUES(?)";
        sql.exec(number, nullptr);
        sql.exec(number, 1);
        sql.exec(number, 0.5);
        sql.exec(number, "2.25");
        CHECK(sql.text("SELECT sum(n) FROM mine") == "3.75");
        const char* const real = "INSERT INTO mine(d) VALUES(?)";
        sql.exec(real, "1");
        sql.exec(real, 0.5);
        sql.exec(real, std::int64_t{1} << 40);
        const char* const same = "SELECT count(*) FROM mine WHERE n = ?";
        CHECK(sql.integer(same, 1) == 1);
        CHECK(sql.integer(same, 0.5) == 1);
        CHECK(sql.integer(same, "2.25") == 1);
        CHECK(sql.text("SELECT ?", 7) == "7");
        CHECK(sql.text("SELECT ?", "seven") == "seven");
    });
}

TEST_CASE("a table that another program has changed is read again without an error [C12]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        tx.sql().script("CREATE TABLE mine(n BIGINT); INSERT INTO mine VALUES(1)");
    });
    const char* const all = "SELECT * FROM mine";
    int columns = 0;
    const auto count_columns = [&](const SqlRow& row) { columns = row.columns(); };
    const auto read = [&] { store.query([&](Sql& sql) { sql.each(all, count_columns); }); };
    const auto write = [&] {
        store.transact([&](Transaction& tx) {
            tx.sql().each(all, count_columns);
            tx.append("thing-1", any_version, {numbered(1)});
        });
    };
    read();
    write();
    PostgresConnection other{location.uri().substr(0, location.uri().find('?'))};
    const std::string schema = location.uri().substr(location.uri().rfind('=') + 1);
    for (int added = 1; added <= 2; ++added) {
        other.query("ALTER TABLE " + schema + ".mine ADD COLUMN c" + std::to_string(added) +
                    " TEXT");
        CHECK_NOTHROW(read());
        CHECK(columns == 1 + added);
        CHECK_NOTHROW(write());
        CHECK(columns == 1 + added);
    }
    CHECK(store.version("thing-1") == Version{3});
}

TEST_CASE("more texts than a connection keeps prepared are all run [C12]") {
    const StoreLocation location;
    const EventStore store = location.open();
    std::int64_t sum = 0;
    for (int n = 1; n <= 1'100; ++n) {
        store.query([&](Sql& sql) { sum += *sql.integer("SELECT " + std::to_string(n)); });
    }
    CHECK(sum == 1'100 * 1'101 / 2);
}

TEST_CASE("statements that the server has dropped are prepared again [C12]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1)});
    store.append("thing-1", any_version, {numbered(2)});
    const auto drop_statements = [&] {
        store.transact([](Transaction& tx) {
            detail::store_sql(tx).script("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$");
        });
    };
    drop_statements();
    CHECK(store.append("thing-1", any_version, {numbered(3)}).version == Version{3});
    drop_statements();
    store.transact([](Transaction& tx) { tx.append("thing-1", any_version, {numbered(4)}); });
    CHECK(store.version("thing-1") == Version{4});
}

TEST_CASE("any number of texts leaves a bounded number of statements at the server [D16]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        for (int i = 0; i < 1300; ++i) {
            tx.sql().integer("SELECT " + std::to_string(i) + " FROM generate_series(1, ?)", 1);
        }
        CHECK(tx.sql().integer("SELECT count(*) FROM pg_prepared_statements").value_or(9999) <=
              501);
        CHECK(tx.sql().integer("SELECT 1 FROM generate_series(1, ?)", 1) == 1);
    });
}

TEST_SUITE_END();
