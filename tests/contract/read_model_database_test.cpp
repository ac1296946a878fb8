#include <chrono>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("a read model's database keeps what was committed and nothing else") {
    const StoreLocation location;
    EventStore store = location.open();
    auto& databases = detail::engine_of(store).read_models();
    for (const auto use : {ReadModelUse::query, ReadModelUse::feed}) {
        CHECK_THROWS_AS(databases.open("totals.v1.b1", use), NotFoundError);
    }
    CHECK(databases.list().empty());
    CHECK_THROWS_AS(databases.open("../escape", ReadModelUse::build), InvalidError);
    {
        const auto build = databases.open("totals.v1.b1", ReadModelUse::build);
        build->begin();
        build->sql().script("CREATE TABLE totals(k TEXT PRIMARY KEY, n INTEGER NOT NULL)");
        build->sql().exec("INSERT INTO totals(k, n) VALUES(?, ?)", "a", 1);
        build->commit();
        build->begin();
        build->sql().exec("UPDATE totals SET n = n + ?", 1);
        build->rollback();
        build->finish_build();
    }
    const auto feed = databases.open("totals.v1.b1", ReadModelUse::feed);
    const auto query = databases.open("totals.v1.b1", ReadModelUse::query);
    CHECK(query->sql().integer("SELECT n FROM totals WHERE k = ?", "a") == 1);
    feed->begin();
    feed->sql().exec("UPDATE totals SET n = ? WHERE k = ?", 5, "a");
    CHECK(query->sql().integer("SELECT n FROM totals WHERE k = ?", "a") == 1);
    feed->commit();
    CHECK(query->sql().integer("SELECT n FROM totals WHERE k = ?", "a") == 5);
    CHECK_THROWS_AS(query->sql().exec("DELETE FROM totals"), Error);
    CHECK(databases.list() == std::vector<std::string>{"totals.v1.b1"});
    databases.remove("totals.v1.b1");
    databases.remove("totals.v1.b1");
    CHECK(databases.list().empty());
    try {
        query->begin();
        CHECK(query->sql().integer("SELECT n FROM totals WHERE k = ?", "a") == 5);
    } catch (const NotFoundError&) {
        CHECK(test::on_postgres());
    }
}

TEST_CASE(
    "a query that waits for the removal of a read model sees all of it or fails as not found") {
    using namespace std::chrono_literals;
    const StoreLocation location;
    EventStore store = location.open();
    auto& databases = detail::engine_of(store).read_models();
    {
        const auto build = databases.open("totals.v1.b1", ReadModelUse::build);
        build->begin();
        build->sql().script("CREATE TABLE totals(n INTEGER NOT NULL)");
        build->sql().exec("INSERT INTO totals(n) VALUES(?)", 5);
        build->commit();
        build->finish_build();
    }
    const auto first = databases.open("totals.v1.b1", ReadModelUse::query);
    const auto second = databases.open("totals.v1.b1", ReadModelUse::query);
    second->begin();
    second->commit();
    first->begin();
    std::jthread removing{[&] { databases.remove("totals.v1.b1"); }};
    std::this_thread::sleep_for(50ms);
    std::jthread waiting{[&] {
        try {
            second->begin();
            CHECK(second->sql().integer("SELECT n FROM totals") == 5);
            second->commit();  // it may have come before the removal, which then waits for it
        } catch (const NotFoundError& error) {
            CHECK(std::string_view{error.what()}.find("no longer there") != std::string_view::npos);
        }
    }};
    std::this_thread::sleep_for(50ms);
    CHECK(first->sql().integer("SELECT n FROM totals") == 5);
    first->commit();
    waiting.join();
    removing.join();
    CHECK(databases.list().empty());
}

TEST_CASE(
    "a statement whose result is not awaited is part of its transaction and fails all of it") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        tx.sql().script("CREATE TABLE mark(n INTEGER NOT NULL PRIMARY KEY)");
    });
    const auto marks = [&] {
        std::optional<std::int64_t> count;
        store.query([&](Sql& sql) { count = sql.integer("SELECT COUNT(*) FROM mark"); });
        return count;
    };
    constexpr std::string_view insert = "INSERT INTO mark(n) VALUES(?)";
    store.transact([&](Transaction& tx) {
        for (int n = 0; n < 250; ++n) tx.sql().exec_later(insert, n);
        CHECK(tx.sql().integer("SELECT COUNT(*) FROM mark") == 250);
        tx.sql().exec_later(insert, 250);
    });
    CHECK(marks() == 251);
    const auto failing = [&](bool reads) {
        store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            tx.sql().exec_later(insert, 1'000);
            tx.sql().exec_later(insert, 1);
            if (reads) tx.sql().integer("SELECT 1");
        });
    };
    CHECK_THROWS_AS(failing(true), InvalidError);
    CHECK_THROWS_AS(failing(false), InvalidError);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        tx.sql().exec_later(insert, 2'000);
        throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(marks() == 251);
    CHECK(store.head() == Position{0});
    store.append("thing-1", no_stream, {numbered(2)});
    CHECK(store.head() == Position{1});
}

TEST_CASE("wrong SQL is refused with the statement named") {
    const StoreLocation location;
    EventStore store = location.open();
    store.query([](Sql& sql) {
        CHECK_THROWS_WITH_AS(sql.exec("SELEKT 1"), doctest::Contains("SELEKT 1"), InvalidError);
    });
    store.query([](Sql& sql) {
        CHECK_THROWS_AS(sql.integer("SELECT ?"), InvalidError);
        CHECK_THROWS_AS(sql.integer("SELECT 1", 2), InvalidError);
        CHECK(sql.integer("SELECT 1") == 1);
        CHECK_FALSE(sql.integer("SELECT NULL").has_value());
        CHECK(sql.text("SELECT ?", std::string{"é"}) == "é");
    });
}
