#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "faulty_disk.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr int rows = 40'000;

/// Writes more than the 64 MiB that SQLite may keep in memory, so that it writes into the log
/// before the commit; then changes the first pages again, which are in the log by then.
void write_much(Sql& sql, int generation) {
    sql.exec("DELETE FROM mine");
    sql.exec(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
        "INSERT INTO mine SELECT i, ?, hex(zeroblob(1000)) FROM n",
        rows, generation);
    sql.exec("UPDATE mine SET generation = ? WHERE i <= 100", generation + 1000);
}

void check_much(const EventStore& store, int generation) {
    store.query([&](Sql& sql) {
        CHECK(sql.integer("SELECT count(*) FROM mine WHERE generation = ?", generation) ==
              rows - 100);
        CHECK(sql.integer("SELECT count(*) FROM mine WHERE generation = ?", generation + 1000) ==
              100);
    });
}

void check_sound(const StoreLocation& location) {
    SQLite::Database database{location.uri(), SQLite::OPEN_READWRITE};
    CHECK(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a commit of many pages goes into the write-ahead log with one write [D17]") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1)});
    for (const char* stream : {"thing-2", "else-1", "thing-1"}) {
        const int before = disk.log_writes();
        store.append(stream, any_version, {numbered(1), numbered(2), numbered(3)});
        CHECK(disk.log_writes() - before == 1);
    }
}

TEST_CASE("what is committed can be read at once, whatever the durability [D17]") {
    for (const auto durability : {Durability::full, Durability::normal, Durability::off}) {
        const StoreLocation location;
        EventStore store = location.open({.durability = durability});
        const EventStore other = location.open();
        for (std::uint64_t n = 1; n <= 50; ++n) {
            store.append("thing-" + std::to_string(n), no_stream, {numbered(n)});
            CHECK(other.head() == Position{n});
            CHECK(other.version("thing-" + std::to_string(n)) == Version{1});
        }
    }
}

TEST_CASE(
    "pages that were in the log before the commit, and changed there, are as they were left") {
    for (const auto durability : {Durability::full, Durability::normal}) {
        const StoreLocation location;
        EventStore store = location.open({.durability = durability});
        const EventStore other = location.open();
        store.transact([](Transaction& tx) {
            tx.sql().exec("CREATE TABLE mine(i INTEGER PRIMARY KEY, generation INT, text TEXT)");
        });
        for (int generation = 1; generation <= 2; ++generation) {
            store.transact([&](Transaction& tx) {
                write_much(tx.sql(), generation);
                tx.append("thing-1", any_version, {numbered(1)});
            });
            check_much(other, generation);
        }
        check_sound(location);
    }
}

TEST_CASE("what a rolled-back transaction left in the log never covers what others commit there") {
    const StoreLocation location;
    EventStore store = location.open();
    EventStore other = location.open();
    store.transact([](Transaction& tx) {
        tx.sql().exec("CREATE TABLE mine(i INTEGER PRIMARY KEY, generation INT, text TEXT)");
    });
    for (int generation = 1; generation <= 2; ++generation) {
        CHECK_THROWS_AS(store.transact([](Transaction& tx) {
            write_much(tx.sql(), 77);
            throw InvalidError("given up");
        }),
                        InvalidError);
        other.transact([&](Transaction& tx) { write_much(tx.sql(), generation); });
        store.append("thing-1", any_version, {numbered(1)});
        check_much(store, generation);
        check_much(other, generation);
    }
    CHECK(other.head() == Position{2});
    check_sound(location);
}

TEST_CASE("a write of the log that fails in the middle of a commit leaves nothing of it") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1)});
    std::vector<NewEvent> many;
    for (std::uint64_t n = 0; n < 2'000; ++n) many.push_back(numbered(n));
    int refused = 0;
    for (int after = 0; after < 3; ++after) {
        disk.fail_once(FaultyDisk::Fault::full, after);
        CHECK_THROWS_AS(store.append("thing-2", any_version, many), StorageError);
        ++refused;
        CHECK(store.head() == Position{1});
        CHECK(location.open().head() == Position{1});
    }
    CHECK(disk.failures() == refused);
    disk.fail(FaultyDisk::Fault::none);
    CHECK(store.append("thing-2", any_version, many).position == Position{2'001});
    check_sound(location);
}
