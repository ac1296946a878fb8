#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

/// The value of `expression` as a whole number, or nothing if it is refused.
std::optional<std::int64_t> whole(const EventStore& store, const std::string& expression) {
    std::optional<std::int64_t> found;
    store.query([&](Sql& sql) {
        try {
            sql.each("SELECT " + expression + " AS it",
                     [&](const SqlRow& row) { found = row.integer(0); });
        } catch (const InvalidError& error) {
            CHECK(std::string_view{error.what()}.find("'it'") != std::string_view::npos);
        }
    });
    return found;
}

std::optional<double> real(const EventStore& store, const std::string& expression) {
    std::optional<double> found;
    store.query([&](Sql& sql) {
        try {
            sql.each("SELECT " + expression + " AS it",
                     [&](const SqlRow& row) { found = row.real(0); });
        } catch (const InvalidError& error) {
            CHECK(std::string_view{error.what()}.find("'it'") != std::string_view::npos);
        }
    });
    return found;
}

template <class Value>
void refuses_parameter(EventStore& store, const Value& value) {
    bool refused = false;
    store.transact([&](Transaction& tx) {
        try {
            tx.sql().exec("INSERT INTO mine(t) VALUES(?)", value);
        } catch (const InvalidError&) {
            refused = true;
        }
    });
    CHECK(refused);
}

std::int64_t rows(const EventStore& store) {
    std::int64_t found = -1;
    store.query([&](Sql& sql) { found = *sql.integer("SELECT count(*) FROM mine"); });
    return found;
}

EventStore with_table(const StoreLocation& location) {
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        tx.sql().script("CREATE TABLE mine(k BIGINT, t TEXT, d DOUBLE PRECISION);");
    });
    return store;
}

}  // namespace

TEST_CASE("a whole number is read from whatever type holds exactly one [C13]") {
    const StoreLocation location;
    const EventStore store = location.open();
    CHECK(whole(store, "7") == 7);
    CHECK(whole(store, "CAST(7 AS DOUBLE PRECISION)") == 7);
    CHECK(whole(store, "CAST(1000000000000000 AS DOUBLE PRECISION)") == 1'000'000'000'000'000);
    CHECK(whole(store, "CAST('12' AS TEXT)") == 12);
    CHECK(whole(store, "CAST('-12.000' AS TEXT)") == -12);
    CHECK(whole(store, "CAST('1.5e3' AS TEXT)") == 1500);
    CHECK(whole(store, "CAST('9223372036854775807' AS TEXT)") ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(whole(store, "CAST('-9223372036854775808' AS TEXT)") ==
          std::numeric_limits<std::int64_t>::min());
    CHECK(whole(store, "1 = 1") == 1);
    CHECK(whole(store, "NULL") == 0);
}

TEST_CASE("a column that holds no whole number is refused and not another number [C13]") {
    const StoreLocation location;
    const EventStore store = location.open();
    for (const char* const expression :
         {"CAST(7.5 AS DOUBLE PRECISION)", "CAST(1e30 AS DOUBLE PRECISION)",
          "CAST(9223372036854775808.0 AS DOUBLE PRECISION)", "CAST('seven' AS TEXT)",
          "CAST('' AS TEXT)", "CAST('7 pieces' AS TEXT)", "CAST('2024-05-06' AS TEXT)",
          "CAST('9223372036854775808' AS TEXT)", "CAST('18446744073709551616' AS TEXT)",
          "CAST('1e999999999' AS TEXT)", "CAST('0.5' AS TEXT)", "CAST(' 7' AS TEXT)"}) {
        CAPTURE(expression);
        CHECK(whole(store, expression) == std::nullopt);
    }
}

TEST_CASE("a number with a fraction is read as such, and text only if it is one [C13]") {
    const StoreLocation location;
    const EventStore store = location.open();
    CHECK(real(store, "CAST(0.1 AS DOUBLE PRECISION)") == 0.1);
    CHECK(real(store, "7") == 7.0);
    CHECK(real(store, "CAST('2.50' AS TEXT)") == 2.5);
    CHECK(real(store, "NULL") == 0.0);
    CHECK(real(store, "CAST('2.5 m' AS TEXT)") == std::nullopt);
    CHECK(real(store, "CAST('' AS TEXT)") == std::nullopt);
    CHECK(real(store, "CAST('1e999' AS TEXT)") == std::nullopt);
}

TEST_CASE("what one of the engines could not store is refused by both [C14]") {
    const StoreLocation location;
    EventStore store = with_table(location);
    refuses_parameter(store, std::nan(""));
    refuses_parameter(store, std::numeric_limits<std::uint64_t>::max());
    refuses_parameter(store, std::uint64_t{1} << 63);
    refuses_parameter(store, std::string("zero\0byte", 9));
    refuses_parameter(store, std::string("caf\xE9"));
    refuses_parameter(store, std::string("long enough for eight at a time \xC3"));
    CHECK(rows(store) == 0);
    store.transact([](Transaction& tx) {
        tx.sql().exec("INSERT INTO mine(k, t, d) VALUES(?, ?, ?)",
                      std::uint64_t{std::numeric_limits<std::int64_t>::max()}, "café €", 0.25);
    });
    CHECK(rows(store) == 1);
}

TEST_CASE("of two statements in one text none is run [C14]") {
    const StoreLocation location;
    EventStore store = with_table(location);
    for (const char* const text :
         {"INSERT INTO mine(k) VALUES(1); INSERT INTO mine(k) VALUES(2)",
          "INSERT INTO mine(k) VALUES(1);; /* and */ INSERT INTO mine(k) VALUES(2);"}) {
        CHECK_THROWS_AS(store.transact([&](Transaction& tx) { tx.sql().exec(text); }),
                        InvalidError);
    }
    CHECK(rows(store) == 0);
    store.transact([](Transaction& tx) {
        CHECK(tx.sql().exec("INSERT INTO mine(k) VALUES(1); -- and no other") == 1);
    });
    CHECK(rows(store) == 1);
}

TEST_CASE("only what inserts, updates or deletes has changed rows [C14]") {
    const StoreLocation location;
    EventStore store = with_table(location);
    store.transact([](Transaction& tx) {
        Sql& sql = tx.sql();
        CHECK(sql.exec("INSERT INTO mine(k) VALUES(1), (2), (3)") == 3);
        CHECK(sql.exec("CREATE TABLE other(k BIGINT)") == 0);
        CHECK(sql.exec("UPDATE mine SET k = 7 WHERE k > ?", 1) == 2);
        CHECK(sql.exec("DROP TABLE other") == 0);
        CHECK(sql.exec("UPDATE mine SET k = 7 WHERE k > ?", 100) == 0);
        CHECK(sql.exec("CREATE INDEX mine_k ON mine(k)") == 0);
        CHECK(sql.exec("DELETE FROM mine") == 3);
    });
}

TEST_CASE("a foreign key of a program is obeyed on both engines [C14]") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto make = [](Sql& sql) {
        sql.script(
            "CREATE TABLE orders(k TEXT PRIMARY KEY);"
            "CREATE TABLE lines(id BIGINT PRIMARY KEY, k TEXT NOT NULL "
            "REFERENCES orders(k) ON DELETE CASCADE);");
        sql.exec("INSERT INTO orders(k) VALUES('a')");
        sql.exec("INSERT INTO lines(id, k) VALUES(1, 'a')");
        CHECK(sql.exec("DELETE FROM orders WHERE k = 'a'") == 1);
        CHECK(sql.integer("SELECT count(*) FROM lines") == 0);
    };
    store.transact([&](Transaction& tx) { make(tx.sql()); });
    CHECK_THROWS_AS(store.transact([](Transaction& tx) {
        tx.sql().exec("INSERT INTO lines(id, k) VALUES(2, 'nobody')");
    }),
                    InvalidError);
    auto model = detail::engine_of(store).read_models().open("casc.v1.b1", ReadModelUse::build);
    model->begin();
    make(model->sql());
    CHECK_THROWS_AS(model->sql().exec("INSERT INTO lines(id, k) VALUES(2, 'nobody')"),
                    InvalidError);
    model->rollback();
}
