#include <string>

#include <doctest/doctest.h>

#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

/// `1 2 3 `: the positions of what a range shows.
std::string positions(EventRange range) {
    std::string text;
    for (const EventView event : range) text += std::to_string(event.position().value()) + " ";
    return text;
}

/// Ten events: `a-1` and `b-1` in turn, every third of type `thing.odd`.
void fill(EventStore& store) {
    for (std::uint64_t number = 1; number <= 10; ++number) {
        store.append(number % 2 == 1 ? "a-1" : "b-1", any_version,
                     {numbered(number, number % 3 == 0 ? "thing.odd" : "thing.counted")});
    }
}

}  // namespace

TEST_CASE("a stream is read forwards and backwards from a version") {
    const StoreLocation location;
    EventStore store = location.open();
    fill(store);
    CHECK(positions(store.read("a-1")) == "1 3 5 7 9 ");
    CHECK(positions(store.read("a-1", {.from = 2, .limit = 2})) == "3 5 ");
    CHECK(positions(store.read("a-1", {.from = 6})).empty());
    CHECK(positions(store.read("a-1", {.direction = Direction::backward})) == "9 7 5 3 1 ");
    CHECK(positions(store.read("a-1", {.from = 2, .direction = Direction::backward})) == "3 1 ");
    CHECK(positions(store.read("a-1", {.limit = 1, .direction = Direction::backward})) == "9 ");
    CHECK(positions(store.read("nobody-1")).empty());
    CHECK(positions(store.read("a-1", {.limit = 0})).empty());
}

TEST_CASE("the log is read forwards and backwards and through filters") {
    const StoreLocation location;
    EventStore store = location.open();
    CHECK(positions(store.read_all()).empty());
    CHECK(positions(store.read_all({.direction = Direction::backward})).empty());
    fill(store);
    CHECK(positions(store.read_all()) == "1 2 3 4 5 6 7 8 9 10 ");
    CHECK(positions(store.read_all({.from = 9})) == "9 10 ");
    CHECK(positions(store.read_all({.from = 11})).empty());
    CHECK(positions(store.read_all({.limit = 3, .direction = Direction::backward})) == "10 9 8 ");
    CHECK(positions(store.read_all({.from = 2, .direction = Direction::backward})) == "2 1 ");
    CHECK(positions(store.read_all({.filter = {.categories = {"b"}}})) == "2 4 6 8 10 ");
    CHECK(positions(store.read_all({.filter = {.types = {"thing.odd"}}})) == "3 6 9 ");
    CHECK(positions(store.read_all({.filter = {.categories = {"a"}, .types = {"thing.odd"}}})) ==
          "3 9 ");
    CHECK(positions(store.read_all({.limit = 1,
                                    .direction = Direction::backward,
                                    .filter = {.types = {"thing.odd"}}})) == "9 ");
    CHECK(positions(store.read_all({.filter = {.types = {"thing.unknown"}}})).empty());
    CHECK(positions(store.read_all({.filter = {.categories = {"a", "b", "c"}}})) ==
          "1 2 3 4 5 6 7 8 9 10 ");
}

TEST_CASE("a range of many pages misses nothing and repeats nothing") {
    const StoreLocation location;
    EventStore store = location.open();
    std::vector<NewEvent> events;
    for (std::uint64_t number = 1; number <= 3500; ++number) events.push_back(numbered(number));
    store.append("long-1", no_stream, events);
    std::uint64_t expected = 0;
    for (const EventView event : store.read("long-1")) {
        CHECK(event.version() == Version{++expected});
        CHECK(event.data() == "{\"n\":" + std::to_string(expected) + "}");
    }
    CHECK(expected == 3500);
    for (const EventView event : store.read_all({.direction = Direction::backward})) {
        CHECK(event.position() == Position{expected--});
    }
    CHECK(expected == 0);
}

TEST_CASE("a page reports how far it scanned when a filter drops nearly everything") {
    const StoreLocation location;
    EventStore store = location.open();
    fill(store);
    const EventFilter filter{.types = {"thing.odd"}};
    EventPage page;
    detail::read_page(store, {.from = 1, .filter = &filter, .events_max = 2}, page);
    CHECK(page.rows.size() == 2);
    CHECK(page.scanned_to == Position{6});
    CHECK_FALSE(page.at_end);
    detail::read_page(store, {.from = page.next_from, .filter = &filter}, page);
    CHECK(page.rows.size() == 1);
    CHECK(page.scanned_to == Position{10});
    CHECK(page.at_end);
    detail::read_page(store, {.from = page.next_from, .filter = &filter}, page);
    CHECK(page.rows.empty());
    CHECK(page.scanned_to == Position{10});
    CHECK(page.at_end);
}

TEST_CASE("old events are seen as the catalog makes them and stay as they were written") {
    const StoreLocation location;
    location.open().append("a-1", no_stream,
                           {numbered(1, "old.dropped"), numbered(2, "old.split"), numbered(3)});
    auto catalog = std::make_shared<EventCatalog>();
    const EventType split = EventType::checked("new.half", 2);
    catalog->upcast(EventType::checked("old.dropped", 1), {},
                    [](const nlohmann::json&) { return std::vector<UpcastEvent>{}; });
    catalog->upcast(EventType::checked("old.split", 1), {split}, [=](const nlohmann::json& old) {
        return std::vector<UpcastEvent>{{split, old}, {split, old}};
    });
    EventStore store = location.open({.catalog = catalog});
    const auto types = [](EventRange range) {
        std::string text;
        for (const EventView event : range) {
            text +=
                std::string(event.type()) + "@" + std::to_string(event.position().value()) + " ";
        }
        return text;
    };
    CHECK(types(store.read("a-1")) == "new.half@2 new.half@2 thing.counted@3 ");
    CHECK(types(store.read_all({.filter = {.types = {"new.half"}}})) == "new.half@2 new.half@2 ");
    CHECK(types(store.read_all({.direction = Direction::backward})) ==
          "thing.counted@3 new.half@2 new.half@2 ");
    CHECK(types(location.open().read("a-1")) == "old.dropped@1 old.split@2 thing.counted@3 ");
}

TEST_CASE("types and streams of a transaction that was rolled back are not cached") {
    const StoreLocation location;
    EventStore store = location.open();
    CHECK_THROWS(store.transact([](Transaction& tx) {
        tx.append("ghost-1", any_version, {numbered(1, "ghost.type")});
        for (const EventView event : tx.read_all()) CHECK(event.type() == "ghost.type");
        throw std::runtime_error("rolled back");
    }));
    store.append("real-1", any_version, {numbered(1, "real.type")});
    store.transact([](Transaction& tx) {
        for (const EventView event : tx.read_all()) {
            CHECK(event.type() == "real.type");
            CHECK(event.stream() == "real-1");
        }
    });
}
