#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "faulty_disk.hpp"
#include "numbered.hpp"
#include "store_place.hpp"

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

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a full disk refuses the append and the store goes on when there is space again") {
    FaultyDisk disk;
    const StorePlace place;
    EventStore store = place.open();
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
    CHECK(events_in(place.uri()) == 2);
}

TEST_CASE("a sync that fails for good leaves the caller in doubt and says so") {
    FaultyDisk disk;
    const StorePlace place;
    EventStore store = place.open();
    store.append("thing-1", no_stream, {numbered(1)});
    const std::vector<NewEvent> events{numbered(2)};
    disk.fail(FaultyDisk::Fault::sync_error);
    CHECK_THROWS_AS(store.append("thing-1", at_version(1), events), InDoubtError);
    disk.fail(FaultyDisk::Fault::none);
    // The way out of doubt: repeat it, with the same ids.
    CHECK(store.append("thing-1", at_version(1), events).version == Version{2});
    CHECK(events_in(place.uri()) == 2);
}

TEST_CASE("a sync that fails once is found out about and the verdict stays true") {
    FaultyDisk disk;
    const StorePlace place;
    EventStore store = place.open();
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
        CHECK(EventStore::open(place.uri()).version("thing-1") == store.version("thing-1"));
    }
    CHECK(disk.failures() == 10);
}

TEST_SUITE_END();
