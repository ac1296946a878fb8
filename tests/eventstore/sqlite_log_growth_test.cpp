#include <atomic>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr std::uintmax_t mib = 1024 * 1024;

std::uintmax_t log_bytes(const StoreLocation& location) {
    return std::filesystem::file_size(location.uri() + "-wal");
}

NewEvent large(std::size_t bytes) {
    NewEvent event = numbered(1);
    event.data = '"' + std::string(bytes, 'x') + '"';
    return event;
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE(
    "a log that a reader makes long is reported once and is short again after that reader [D16]") {
    const StoreLocation location;
    std::atomic<int> warnings = 0;
    EventStore store =
        location.open({.durability = Durability::off, .log = [&](LogLevel, std::string_view text) {
                           if (text.find("write-ahead log has grown") != std::string_view::npos)
                               ++warnings;
                       }});
    store.query([&](Sql& sql) {
        sql.integer("SELECT count(*) FROM daybook_store");
        while (log_bytes(location) < 300 * mib)
            store.append("thing-1", any_version, {large(4 * mib)});
        CHECK(eventually([&] { return warnings == 1; }));
        while (log_bytes(location) < 350 * mib)
            store.append("thing-1", any_version, {large(4 * mib)});
    });
    CHECK(eventually([&] { return log_bytes(location) < 100 * mib; }));
    CHECK(warnings == 1);
    store.append("thing-1", any_version, {numbered(1)});
    CHECK(log_bytes(location) < 100 * mib);
}

TEST_CASE("the log is no longer than the store it belongs to, but for a short one [D16]") {
    const StoreLocation location;
    EventStore store = location.open({.durability = Durability::off});
    const auto store_bytes = [&] { return std::filesystem::file_size(location.uri()); };
    for (int i = 0; i < 4'000; ++i) store.append("thing-1", any_version, {numbered(1)});
    // The thread of the checkpoint may be late; after it the next append restarts the log.
    CHECK(eventually([&] {
        store.append("thing-1", any_version, {numbered(1)});
        return log_bytes(location) < 40 * mib;
    }));
    CHECK(store_bytes() < 40 * mib);
}

TEST_CASE("the last close leaves everything in the file and no log beside it [D16]") {
    const StoreLocation location;
    {
        EventStore first = location.open();
        EventStore second = location.open();
        for (int i = 0; i < 10; ++i) first.append("thing-1", any_version, {large(mib / 2)});
        first = EventStore::open(":memory:");
        CHECK(second.append("thing-1", any_version, {numbered(1)}).position == Position{11});
        CHECK(log_bytes(location) > 0);
        const auto model =
            detail::engine_of(second).read_models().open("m.v1.b1", ReadModelUse::build);
        model->begin();
        model->sql().exec("CREATE TABLE t(n INTEGER)");
        model->commit();
    }
    CHECK(log_bytes(location) == 0);
    CHECK(std::filesystem::file_size(location.uri() + "-rm/m.v1.b1.db-wal") == 0);
    CHECK(location.open().version("thing-1") == Version{11});
}

TEST_CASE("a store keeps a bounded number of a program's statements [D16]") {
    const StoreLocation location;
    EventStore store = location.open({.durability = Durability::off});
    store.transact([](Transaction& tx) { tx.sql().exec("CREATE TABLE t(n BIGINT)"); });
    const auto use = [&](int from, int to) {
        store.transact([&](Transaction& tx) {
            for (int i = from; i < to; ++i) {
                tx.sql().exec("DELETE FROM t WHERE n = " + std::to_string(i));
                // A statement that is used all the time stays cached, also while it is running.
                tx.sql().each("SELECT 1 FROM t", [](const SqlRow&) {});
            }
        });
    };
    use(0, 1'000);
    const sqlite3_int64 before = sqlite3_memory_used();
    use(1'000, 6'000);
    CHECK(sqlite3_memory_used() - before < static_cast<sqlite3_int64>(2 * mib));
    const std::size_t filters_before = static_cast<std::size_t>(sqlite3_memory_used());
    for (int i = 0; i < 3'000; ++i) {
        const StreamName stream{"kind" + std::to_string(i) + "-1"};
        store.append(stream, any_version, {numbered(1)});
        EventFilter filter;
        filter.categories = {"kind" + std::to_string(i)};
        for (const EventView event : store.read_all({.filter = filter})) {
            CHECK(event.stream() == stream.str());
        }
    }
    CHECK(static_cast<std::size_t>(sqlite3_memory_used()) < filters_before + 8 * mib);
}

TEST_CASE("a running statement outlives the ones that the cache evicts [D16]") {
    const StoreLocation location;
    EventStore store = location.open({.durability = Durability::off});
    store.transact([](Transaction& tx) {
        Sql& sql = tx.sql();
        sql.script("CREATE TABLE t(n BIGINT); INSERT INTO t VALUES(1), (2), (3);");
        int next = 0;
        std::int64_t sum = 0;
        sql.each("SELECT n FROM t ORDER BY n", [&](const SqlRow& row) {
            for (int i = 0; i < 600; ++i) {
                sum += *sql.integer("SELECT " + std::to_string(++next) + " * 0 + 1");
            }
            sum += 1'000'000 * row.integer(0);
        });
        CHECK(sum == 6'001'800);
    });
}

TEST_SUITE_END();
