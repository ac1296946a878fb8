#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "faulty_disk.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

/// A table on which some inserts make SQLite end the transaction: a second 1, and a 13.
void make_trap(Sql& sql) {
    sql.script(
        "CREATE TABLE trap(n INTEGER PRIMARY KEY); INSERT INTO trap VALUES(1);"
        "CREATE TRIGGER unlucky BEFORE INSERT ON trap WHEN new.n = 13 "
        "BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END;");
}

/// A statement after which SQLite ends the transaction, and a part of the error's text.
struct Ending {
    const char* statement;
    const char* error;
};
constexpr Ending endings[] = {{"INSERT OR ROLLBACK INTO trap VALUES(1)", "UNIQUE"},
                              {"INSERT INTO trap VALUES(13)", "unlucky"}};

using Step = std::function<void(Transaction&)>;

/// All operations of a transaction.
const std::vector<Step>& steps() {
    static const std::vector<Step> all{
        [](Transaction& tx) { tx.append("thing-1", any_version, {numbered(2)}); },
        [](Transaction& tx) { tx.append("new-1", no_stream, {numbered(2)}); },
        [](Transaction& tx) { tx.publish({"topic", EventType::checked("noted", 1), "{}", {}}); },
        [](Transaction& tx) { tx.mark_handled("consumer", EventId::generate()); },
        [](Transaction& tx) { tx.sql().exec("INSERT INTO trap VALUES(?)", 7); },
        [](Transaction& tx) { tx.sql().script("INSERT INTO trap VALUES(8)"); },
        [](Transaction& tx) { tx.sql().integer("SELECT count(*) FROM trap"); },
        [](Transaction& tx) { tx.version("thing-1"); },
        [](Transaction& tx) { tx.head(); },
        [](Transaction& tx) {
            for (const EventView event : tx.read("thing-1")) static_cast<void>(event);
        },
        [](Transaction& tx) {
            for (const EventView event : tx.read_all()) static_cast<void>(event);
        },
    };
    return all;
}

/// Checks what a transaction has left in the store: nothing, if it was rolled back.
void check_unchanged(EventStore& store, Position head) {
    CHECK(store.head() == head);
    std::uint64_t events = 0;
    for (const EventView event : store.read_all()) {
        CHECK(event.position() == Position{++events});
    }
    CHECK(events == head.value());
    store.query([](Sql& sql) {
        CHECK(sql.integer("SELECT count(*) FROM trap") == 1);
        CHECK(sql.integer("SELECT count(*) FROM daybook_outbox") == 0);
        CHECK(sql.integer("SELECT count(*) FROM daybook_inbox") == 0);
    });
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a transaction that SQLite rolled back by itself stores nothing more and says why [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1)});
    store.transact([](Transaction& tx) { make_trap(tx.sql()); });
    for (const Ending& ending : endings) {
        CAPTURE(ending.statement);
        CHECK_THROWS_WITH_AS(store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(2)});
            tx.append("new-1", no_stream, {numbered(2)});
            CHECK_THROWS_AS(tx.sql().exec(ending.statement), InvalidError);
            for (const Step& step : steps()) {
                CHECK_THROWS_WITH_AS(step(tx), doctest::Contains(ending.error), InvalidError);
            }
        }),
                             doctest::Contains(ending.error), InvalidError);
        check_unchanged(store, Position{1});
    }
    CHECK(store.append("new-1", no_stream, {numbered(2)}).position == Position{2});
}

TEST_CASE("a transaction that catches such an error and ends is not reported as stored [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) { make_trap(tx.sql()); });
    for (const Ending& ending : endings) {
        CHECK_THROWS_WITH_AS(store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            CHECK_THROWS_AS(tx.sql().exec(ending.statement), InvalidError);
        }),
                             doctest::Contains(ending.error), InvalidError);
        CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            CHECK_THROWS_AS(tx.sql().exec(ending.statement), InvalidError);
            throw std::domain_error("changed my mind");
        }),
                        std::domain_error);
        check_unchanged(store, Position{0});
    }
}

TEST_CASE("a failed read or a full disk inside a transaction leaves nothing of it behind [A2]") {
    FaultyDisk disk;
    const StoreLocation location;
    {
        EventStore store = location.open();
        store.transact([](Transaction& tx) {
            make_trap(tx.sql());
            tx.sql().script(
                "CREATE TABLE wide(n INTEGER, t TEXT);"
                "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000) "
                "INSERT INTO wide SELECT i, hex(randomblob(200)) FROM c;");
        });
    }
    EventStore store = location.open();
    for (std::size_t i = 0; i < steps().size(); ++i) {
        CAPTURE(i);
        CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            disk.fail(FaultyDisk::Fault::read_error);
            CHECK_THROWS_AS(tx.sql().exec("UPDATE wide SET n = n + 1 WHERE t > 'F'"), StorageError);
            disk.fail(FaultyDisk::Fault::none);
            CHECK_THROWS_AS(steps()[i](tx), StorageError);
        }),
                        StorageError);
        check_unchanged(store, Position{0});
    }
    CHECK(store.append("thing-1", no_stream, {numbered(1)}).position == Position{1});
}

TEST_CASE("one append whose hook ends the transaction does not refuse the rest of its group [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) { make_trap(tx.sql()); });
    const auto hook = store.add_commit_hook([](Transaction& tx) {
        if (tx.version("caught-1") > Version{0}) {
            CHECK_THROWS_AS(tx.sql().exec(endings[0].statement), InvalidError);
        }
        if (tx.version("bad-1") > Version{0}) tx.sql().exec(endings[1].statement);
    });
    std::vector<std::future<AppendResult>> outstanding;
    const auto hand_over = [&](const std::string& stream) {
        outstanding.push_back(store.append_async(stream, any_version, {numbered(1)}));
    };
    for (const char* stream : {"good-1", "bad-1", "good-2", "caught-1", "good-3"}) {
        hand_over(stream);
    }
    CHECK_THROWS_WITH_AS(outstanding[1].get(), doctest::Contains("unlucky"), InvalidError);
    CHECK_THROWS_WITH_AS(outstanding[3].get(), doctest::Contains("UNIQUE"), InvalidError);
    for (const std::size_t good : {0, 2, 4}) CHECK(outstanding[good].get().version == Version{1});
    check_unchanged(store, Position{3});
}

TEST_CASE("what was caught in a read model's transaction does not let its rest be stored [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto model = detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
    model->begin();
    make_trap(model->sql());
    model->commit();
    for (const Ending& ending : endings) {
        model->begin();
        model->sql().exec("INSERT INTO trap VALUES(2)");
        CHECK_THROWS_AS(model->sql().exec(ending.statement), InvalidError);
        CHECK_THROWS_WITH_AS(model->sql().exec("INSERT INTO trap VALUES(3)"),
                             doctest::Contains(ending.error), InvalidError);
        CHECK_THROWS_WITH_AS(model->commit(), doctest::Contains(ending.error), InvalidError);
        model->rollback();
        model->begin();
        CHECK(model->sql().integer("SELECT count(*) FROM trap") == 1);
        model->rollback();
    }
}

TEST_CASE("no way into SQL ends a transaction or opens another file [A2]") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto model = detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
    for (const char* const text :
         {"COMMIT", "END", "ROLLBACK", "BEGIN", "SAVEPOINT mine", "ROLLBACK TO daybook_append",
          "RELEASE daybook_append", "ATTACH ':memory:' AS a"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
            tx.append("thing-1", any_version, {numbered(1)});
            tx.sql().script(text);
        }),
                        InvalidError);
        model->begin();
        CHECK_THROWS_AS(model->sql().exec(text), InvalidError);
        CHECK_THROWS_AS(model->sql().script(text), InvalidError);
        model->sql().exec("CREATE TABLE t(n INTEGER)");
        model->rollback();
    }
    CHECK(store.head() == Position{0});
}

TEST_SUITE_END();
