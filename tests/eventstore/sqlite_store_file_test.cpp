#include <filesystem>
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "engine/sqlite/stream_index.hpp"
#include "numbered.hpp"
#include "temporary_directory.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a missing store is not created unless the options say so") {
    const TemporaryDirectory directory;
    const StoreOptions existing{.create = false};
    CHECK_THROWS_AS(EventStore::open(directory.file("none.db"), existing), NotFoundError);
    CHECK_FALSE(std::filesystem::exists(directory.file("none.db")));
    CHECK_THROWS_AS(EventStore::open(directory.file("no/such/dir.db")), NotFoundError);
    CHECK_THROWS_AS(EventStore::open(directory.path().string()), InvalidError);
    CHECK_THROWS_AS(EventStore::open(""), InvalidError);
    CHECK_THROWS_AS(EventStore::open("mysql://localhost/x"), InvalidError);
}

TEST_CASE("a file that is something else is left as it is") {
    const TemporaryDirectory directory;
    const std::string text = directory.file("letter.txt");
    std::ofstream{text} << "Dear customer, this is not a database but a letter of some length.\n";
    CHECK_THROWS_AS(EventStore::open(text), CorruptError);
    const std::string other = directory.file("other.db");
    SQLite::Database{other, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE}.exec(
        "CREATE TABLE mine(x)");
    CHECK_THROWS_AS(EventStore::open(other), InvalidError);
    SQLite::Database reopened{other, SQLite::OPEN_READONLY};
    CHECK(reopened.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 1);
}

TEST_CASE("a store written by a newer Daybook is refused and works again with the older number") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("store.db");
    EventStore::open(path).append("thing-1", any_version, {numbered(1)});
    const auto set_version = [&](int change) {
        SQLite::Database database{path, SQLite::OPEN_READWRITE};
        const int version = database.execAndGet("PRAGMA user_version").getInt();
        database.exec("PRAGMA user_version = " + std::to_string(version + change));
    };
    set_version(+1);
    CHECK_THROWS_WITH_AS(EventStore::open(path), doctest::Contains("newer Daybook"), InvalidError);
    set_version(-1);
    CHECK(EventStore::open(path).head() == Position{1});
}

TEST_CASE("an open store that a newer Daybook has changed refuses to write") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("store.db");
    EventStore store = EventStore::open(path);
    store.append("thing-1", any_version, {numbered(1)});
    const auto set_version = [&](int change) {
        SQLite::Database database{path, SQLite::OPEN_READWRITE};
        const int version = database.execAndGet("PRAGMA user_version").getInt();
        database.exec("PRAGMA user_version = " + std::to_string(version + change));
    };
    set_version(+1);
    CHECK_THROWS_WITH_AS(store.append("thing-1", any_version, {numbered(2)}),
                         doctest::Contains("newer Daybook"), InvalidError);
    set_version(-1);
    CHECK(store.append("thing-1", any_version, {numbered(2)}).position == Position{2});
}

TEST_CASE("a store in memory is gone with its last handle") {
    EventStore store = EventStore::open(":memory:");
    EventStore copy = store;
    copy.append("thing-1", any_version, {numbered(1)});
    CHECK(store.head() == Position{1});
    CHECK(EventStore::open(":memory:").head() == Position{0});
}

TEST_CASE("after a clean close the database file alone holds everything") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("store.db");
    EventStore::open(path).append("thing-1", any_version, {numbered(1), numbered(2)});
    const std::string copy = directory.file("copy.db");
    std::filesystem::copy_file(path, copy);
    CHECK(EventStore::open(copy).head() == Position{2});
}

TEST_CASE("the write-ahead log stays bounded under a long run of appends") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("store.db");
    EventStore store = EventStore::open(path, {.durability = Durability::off});
    std::vector<NewEvent> events;
    for (std::uint64_t number = 0; number < 500; ++number) events.push_back(numbered(number));
    for (int round = 0; round < 600; ++round) {
        for (NewEvent& event : events) event.id = EventId::generate();
        store.append("thing-" + std::to_string(round % 7), any_version, events);
    }
    CHECK(std::filesystem::file_size(path + "-wal") < std::uintmax_t{128} * 1024 * 1024);
}

TEST_CASE("the write-ahead log stays short when programs come and go") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("store.db");
    const auto visit = [&] {
        EventStore store = EventStore::open(path);
        for (std::uint64_t number = 0; number < 20; ++number) {
            store.append("thing-1", any_version, {numbered(number)});
        }
    };
    const auto size = [&] { return std::filesystem::file_size(path + "-wal"); };
    for (int round = 0; round < 3; ++round) visit();
    const auto after_three = size();
    for (int round = 0; round < 30; ++round) visit();
    CHECK(size() <= 2 * after_three);
}

TEST_CASE("the hot statements go through the indexes they were made for") {
    EventStore store = EventStore::open(":memory:");
    store.query([](Sql& sql) {
        const auto plan = [&](const std::string& statement, auto... parameters) {
            std::string text;
            sql.each(
                "EXPLAIN QUERY PLAN " + statement,
                [&](const SqlRow& row) { text += std::string(row.text(3)) + "; "; }, parameters...);
            return text;
        };
        for (std::size_t level = 0; level < sqlite::stream_levels.size(); ++level) {
            const std::string table{sqlite::stream_levels[level]};
            const std::string events = "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); ";
            CHECK(plan(sqlite::stream_page_statement(level, Direction::forward), 1, 2, 3) ==
                  "SEARCH r USING PRIMARY KEY (stream=? AND version>?); " + events);
            CHECK(
                plan(sqlite::stream_page_statement(level, Direction::backward), 1, 2, 3) ==
                "SEARCH r USING PRIMARY KEY (stream=? AND version<?); SCALAR SUBQUERY 1; SEARCH " +
                    table + " USING PRIMARY KEY (stream=? AND version>?); " + events);
            if (level == 0) continue;
            const auto& slice = sqlite::stream_slice_statements(level);
            const std::string range =
                "SEARCH " + table + " USING PRIMARY KEY (stream>? AND (stream,version)<(?,?)); ";
            CHECK(plan(slice.copy, 1, 2, 3) == range);
            CHECK(plan(slice.remove, 1, 2, 3) == range);
            CHECK(plan(slice.end, 1, 2) == "SEARCH " + table + " USING PRIMARY KEY (stream>?); ");
        }
        CHECK(plan("SELECT " + sqlite::stream_version_expression("?1"), 1) ==
              "SCAN CONSTANT ROW; "
              "SCALAR SUBQUERY 1; SEARCH daybook_stream_run_new USING PRIMARY KEY (stream=?); "
              "SCALAR SUBQUERY 2; SEARCH daybook_stream_run_recent USING PRIMARY KEY (stream=?); "
              "SCALAR SUBQUERY 3; SEARCH daybook_stream_run USING PRIMARY KEY (stream=?); ");
        CHECK(plan("SELECT data FROM daybook_event WHERE position BETWEEN 1 AND 9 AND +category IN "
                   "(1) "
                   "AND +type IN (1,2) ORDER BY position LIMIT 10")
                  .starts_with(
                      "SEARCH daybook_event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?); "));
        CHECK(plan("SELECT position FROM daybook_event WHERE id = x'00'") ==
              "SEARCH daybook_event USING COVERING INDEX daybook_event_by_id (id=?); ");
        CHECK(plan("SELECT id FROM daybook_stream WHERE name = 'a'")
                  .find("SEARCH daybook_stream USING") == 0);
        CHECK(plan("SELECT max(position) FROM daybook_event") == "SEARCH daybook_event; ");
    });
}

TEST_SUITE_END();
