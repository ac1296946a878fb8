#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "faulty_disk.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

std::uint64_t events_in(const std::string& uri) {
    std::uint64_t events = 0;
    for (const EventView event : EventStore::open(uri).read_all()) {
        CHECK(event.position() == Position{++events});
    }
    return events;
}

/// A store of 300 streams, whose pages are all in the file and in no cache.
EventStore make_cold(const StoreLocation& location) {
    EventStore store = location.open({.durability = Durability::off});
    for (std::uint64_t i = 0; i < 300; ++i) {
        store.append("thing-" + std::to_string(i), no_stream, {numbered(i)});
    }
    store = EventStore::open(":memory:");
    return location.open();
}

std::uint64_t read_all_of(const EventStore& store) {
    std::uint64_t events = 0;
    for (const EventView event : store.read_all()) {
        CHECK(event.data() == numbered(events).data);
        ++events;
    }
    return events;
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a full disk refuses the append and the store goes on when there is space again") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", no_stream, {numbered(1)});
    for (const auto fault : {FaultyDisk::Fault::full, FaultyDisk::Fault::write_error}) {
        disk.fail(fault);
        CHECK_THROWS_AS(store.append("thing-1", at_version(1), {numbered(2)}), StorageError);
        CHECK_THROWS_AS(
            store.transact([](Transaction& tx) { tx.append("thing-2", no_stream, {numbered(3)}); }),
            StorageError);
        disk.fail(FaultyDisk::Fault::none);
        CHECK(store.head() == Position{1});
    }
    CHECK(disk.failures() >= 4);
    CHECK(store.append("thing-1", at_version(1), {numbered(2)}).position == Position{2});
    CHECK(events_in(location.uri()) == 2);
}

TEST_CASE("a sync that fails for good leaves the append in doubt") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", no_stream, {numbered(1)});
    const std::vector<NewEvent> events{numbered(2)};
    disk.fail(FaultyDisk::Fault::sync_error);
    CHECK_THROWS_AS(store.append("thing-1", at_version(1), events), InDoubtError);
    disk.fail(FaultyDisk::Fault::none);
    // To resolve the doubt the caller repeats the append with the same ids.
    CHECK(store.append("thing-1", at_version(1), events).version == Version{2});
    CHECK(events_in(location.uri()) == 2);
}

TEST_CASE("a sync that fails once is detected and the verdict stays true") {
    FaultyDisk disk;
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", no_stream, {numbered(1)});
    for (std::uint64_t round = 0; round < 10; ++round) {
        const Version version = store.version("thing-1");
        disk.fail_once(FaultyDisk::Fault::sync_error);
        bool stored = true;
        try {
            store.append("thing-1", at_version(version), {numbered(2)});
        } catch (const StorageError&) {
            stored = false;
        }
        CHECK(store.version("thing-1") == (stored ? version.next() : version));
        CHECK(EventStore::open(location.uri()).version("thing-1") == store.version("thing-1"));
    }
    CHECK(disk.failures() == 10);
}

TEST_CASE(
    "a commit whose log cannot be indexed is not reported as lost while recovery finds it [A3]") {
    FaultyDisk disk;
    const StoreLocation location;
    const TemporaryDirectory after_crash;
    EventStore store = location.open({.durability = Durability::off});
    store.append("thing-1", any_version, {numbered(1)});
    std::vector<NewEvent> events;
    Version version{1};
    bool lost = false;
    // While a reader is active the log cannot restart, so its index has to grow at some point.
    store.query([&](Sql& sql) {
        sql.integer("SELECT count(*) FROM daybook_store");
        disk.fail(FaultyDisk::Fault::index_full);
        for (bool stored = true; stored;) {
            REQUIRE(version < Version{100'000});
            events.clear();
            for (std::uint64_t i = 0; i < 100; ++i) {
                events.push_back(numbered(i));
                events.back().data = '"' + std::string(20'000, 'x') + '"';
            }
            try {
                version = store.append("thing-1", at_version(version), events).version;
            } catch (const Error& error) {
                stored = false;
                lost = error.kind() == ErrorKind::storage;
                CHECK((lost || error.kind() == ErrorKind::in_doubt));
            }
        }
    });
    CHECK(disk.failures() >= 1);
    disk.fail(FaultyDisk::Fault::none);
    // A copy of the files shows what the next process finds if this one dies now.
    const std::string copy = after_crash.file("store.db");
    for (const char* part : {"", "-wal"})
        std::filesystem::copy_file(location.uri() + part, copy + part);
    if (lost) CHECK(EventStore::open(copy).version("thing-1") == version);
    const AppendResult repeated = store.append("thing-1", at_version(version), events);
    CHECK(repeated.version == Version{version.value() + events.size()});
    CHECK(events_in(location.uri()) == repeated.version.value());
}

TEST_CASE(
    "one read that fails or returns other bytes halts nothing and is not reported as damage [A6]") {
    FaultyDisk disk;
    const StoreLocation location;
    make_cold(location);
    for (const auto fault : {FaultyDisk::Fault::read_error, FaultyDisk::Fault::bad_read}) {
        for (int after = 0; after < 16; ++after) {
            CAPTURE(after);
            EventStore store = location.open();
            disk.fail_once(fault, after);
            CHECK(read_all_of(store) == 300);
            CHECK(store.version("thing-299") == Version{1});
            disk.fail(FaultyDisk::Fault::none);
        }
    }
    CHECK(disk.failures() > 8);
}

TEST_CASE("one read that fails under an append or a transaction does not outlive it [A6]") {
    FaultyDisk disk;
    const StoreLocation location;
    make_cold(location);
    std::uint64_t head = 300;
    for (const auto fault : {FaultyDisk::Fault::read_error, FaultyDisk::Fault::bad_read}) {
        for (int after = 0; after < 12; ++after) {
            CAPTURE(after);
            EventStore store = location.open();
            disk.fail_once(fault, after);
            const std::vector<NewEvent> events{numbered(head)};
            try {
                store.transact([&](Transaction& tx) { tx.append("thing-7", any_version, events); });
            } catch (const StorageError&) {
                disk.fail(FaultyDisk::Fault::none);
                store.append("thing-7", any_version, events);
            }
            disk.fail(FaultyDisk::Fault::none);
            CHECK(store.head() == Position{++head});
        }
    }
    CHECK(events_in(location.uri()) == head);
}

TEST_CASE("a file that stays damaged is reported as damaged [A6]") {
    const StoreLocation location;
    make_cold(location);
    {
        // The last pages hold the newest events, and nothing of the schema.
        constexpr std::size_t damaged_bytes = 8 * 8192;
        std::fstream file{location.uri(), std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(-static_cast<std::streamoff>(damaged_bytes), std::ios::end);
        file << std::string(damaged_bytes, '\xA5');
    }
    EventStore store = location.open();
    CHECK_THROWS_AS(read_all_of(store), CorruptError);
    const auto query = [&] {
        store.query([](Sql& sql) { sql.integer("SELECT sum(length(data)) FROM daybook_event"); });
    };
    // The store cannot repeat a program's query for it. The program's next query finds the damage.
    CHECK_THROWS_AS(query(), Error);
    CHECK_THROWS_AS(query(), CorruptError);
}

TEST_SUITE_END();
