#include <string>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "postgres_server.hpp"
#include "store_location.hpp"

// What a program does in a transaction after something has gone wrong in it, because it has caught
// the error.

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr const char* nonsense = "INSERT INTO no_such_table VALUES(1)";

/// Runs `call` and returns what it throws.
template <class Call>
std::string refusal(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE(
    "a transaction that goes on after a failed statement stores nothing and says what failed "
    "[A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    std::string first;
    const std::string text = refusal([&] {
        store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            first = refusal([&] { tx.sql().exec(nonsense); });
            CHECK(refusal([&] {
                      tx.append("thing-1", any_version, {numbered(2)});
                  }).find("no_such_table") != std::string::npos);
            CHECK(refusal([&] { tx.sql().integer("SELECT 1"); }) == first);
            CHECK(refusal([&] { tx.sql().script("CREATE TABLE late(n INT)"); }) == first);
            CHECK(refusal([&] { tx.mark_handled("consumer", EventId::generate()); }) == first);
        });
    });
    CHECK(text.find("no_such_table") != std::string::npos);
    CHECK(store.head() == Position{0});
    store.transact([](Transaction& tx) { tx.append("thing-1", no_stream, {numbered(4)}); });
    CHECK(store.head() == Position{1});
}

TEST_CASE(
    "a failed statement at the end of a transaction that caught its error refuses the commit "
    "[A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    const std::string text = refusal([&] {
        store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            refusal([&] { tx.sql().exec(nonsense); });
        });
    });
    CHECK(text.find("no_such_table") != std::string::npos);
    CHECK(store.head() == Position{0});
    store.append("thing-1", no_stream, {numbered(1)});
}

TEST_CASE("after a statement has ended the transaction nothing continues without it [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    for (const std::string end : {"ROLLBACK", "ROLLBACK; BEGIN", "ABORT"}) {
        CAPTURE(end);
        const std::string text = refusal([&] {
            store.transact([&](Transaction& tx) {
                // Past the check of a program's SQL, for statements that it may not detect.
                Sql& sql = detail::store_sql(tx);
                tx.append("thing-1", any_version, {numbered(1)});
                CHECK(refusal([&] { sql.script(end); }).find("ended the transaction") !=
                      std::string::npos);
                CHECK_THROWS_AS(tx.append("thing-1", any_version, {numbered(2)}), InvalidError);
                CHECK_THROWS_AS(sql.script("CREATE TABLE late(n INT)"), InvalidError);
            });
        });
        CHECK(text.find("ended the transaction") != std::string::npos);
        CHECK(store.head() == Position{0});
    }
    CHECK_THROWS_AS(store.transact([](Transaction& tx) {
        refusal([&] { detail::store_sql(tx).exec("ROLLBACK"); });
        detail::store_sql(tx).exec("CREATE TABLE late(n INT)");
    }),
                    InvalidError);
    store.query([](Sql& sql) { CHECK_FALSE(has_relation(sql, "late")); });
    CHECK(store.append("thing-1", no_stream, {numbered(3)}).position == Position{1});
}

TEST_CASE("an error that a savepoint has undone does not fail the transaction [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) {
        Sql& sql = detail::store_sql(tx);
        tx.append("thing-1", any_version, {numbered(1)});
        sql.exec("SAVEPOINT daybook_test");
        CHECK_THROWS_AS(sql.exec(nonsense), InvalidError);
        sql.exec("ROLLBACK TO daybook_test");
        sql.exec("RELEASE daybook_test");
        tx.append("thing-1", any_version, {numbered(2)});
    });
    CHECK(store.head() == Position{2});
}

TEST_CASE("a read model's transaction that goes on after a failed statement stores nothing [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto model =
        detail::engine_of(store).read_models().open("totals.v1.b1", ReadModelUse::build);
    model->begin();
    model->sql().script("CREATE TABLE totals(n INTEGER NOT NULL)");
    model->commit();
    model->begin();
    model->sql().exec("INSERT INTO totals VALUES(1)");
    const std::string first = refusal([&] { model->sql().exec(nonsense); });
    CHECK(refusal([&] { model->sql().exec("INSERT INTO totals VALUES(2)"); }) == first);
    CHECK(refusal([&] { model->commit(); }) == first);
    model->rollback();
    model->begin();
    CHECK(model->sql().integer("SELECT count(*) FROM totals") == 0);
    model->commit();
}

TEST_CASE("after a hook has ended the transaction of a group no append continues without it [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    bool ends = true;
    const auto hook = store.add_commit_hook([&](Transaction& tx) {
        if (ends) detail::store_sql(tx).script("ROLLBACK; BEGIN");
    });
    CHECK_THROWS_AS(store.append("thing-1", any_version, {numbered(1)}), InvalidError);
    CHECK(store.head() == Position{0});
    ends = false;
    CHECK(store.append("thing-1", no_stream, {numbered(2)}).position == Position{1});
}

TEST_CASE("a query that continues after a failed statement gets the same error again") {
    const StoreLocation location;
    EventStore store = location.open();
    store.query([](Sql& sql) {
        const std::string first = refusal([&] { sql.integer("SELECT n FROM no_such_table"); });
        CHECK(refusal([&] { sql.integer("SELECT 1"); }) == first);
    });
    store.query([](Sql& sql) { CHECK(sql.integer("SELECT 1") == 1); });
}

TEST_SUITE_END();
