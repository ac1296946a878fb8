#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

std::vector<NewEvent> some(std::uint64_t count, const char* type = "thing.counted") {
    std::vector<NewEvent> events;
    for (std::uint64_t number = 1; number <= count; ++number) {
        events.push_back(numbered(number, type));
    }
    return events;
}

std::size_t count(EventRange range) {
    std::size_t events = 0;
    for ([[maybe_unused]] const EventView event : range) ++events;
    return events;
}

}  // namespace

TEST_CASE("an append returns the position and the version of its last event") {
    const StoreLocation location;
    EventStore store = location.open();
    CHECK(store.head() == Position{0});
    const auto first = store.append("thing-1", no_stream, some(3));
    CHECK(first.position == Position{3});
    CHECK(first.version == Version{3});
    CHECK_FALSE(first.repeated);
    const auto second = store.append("thing-2", no_stream, some(1));
    CHECK(second.position == Position{4});
    CHECK(second.version == Version{1});
    CHECK(store.head() == Position{4});
    CHECK(store.version("thing-1") == Version{3});
    CHECK(store.version("thing-3") == Version{0});
}

TEST_CASE("what was appended is read again as it was given") {
    const StoreLocation location;
    const auto recorded = parse_iso8601("2016-07-04T09:30:00.123456Z");
    const VirtualClock clock{recorded};
    NewEvent event{EventType::checked("order.placed", 7), R"({"text":"Zoë","n":1.5,"z":"\u0000"})"};
    event.metadata = R"({"who":"Ada"})";
    event.trace = {EventId::generate(), EventId::generate()};
    location.open({.clock = &clock}).append("order-10248", no_stream, {event, numbered(2)});

    EventStore store = location.open();
    std::vector<RecordedEvent> events;
    for (const EventView view : store.read("order-10248")) events.emplace_back(view);
    REQUIRE(events.size() == 2);
    const EventView stored = events[0].view();
    CHECK(stored.stream() == "order-10248");
    CHECK(stored.category() == "order");
    CHECK(stored.type() == "order.placed");
    CHECK(stored.schema_version() == 7);
    CHECK(stored.position() == Position{1});
    CHECK(stored.version() == Version{1});
    CHECK(stored.recorded_at() == recorded);
    CHECK(stored.id() == event.id);
    CHECK(stored.data() == event.data);
    CHECK(stored.metadata() == event.metadata);
    CHECK(stored.correlation() == event.trace.correlation);
    CHECK(stored.causation() == event.trace.causation);
    const EventView plain = events[1].view();
    CHECK(plain.metadata().empty());
    CHECK(plain.causation().is_nil());
    CHECK_MESSAGE(plain.correlation() == plain.id(), "an event without a cause begins its own");
}

TEST_CASE("each expected version lets through what it says and nothing else") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto refused = [&](const char* stream, ExpectedVersion expected) {
        const auto outcome = store.try_append(stream, expected, {numbered(9)});
        return std::holds_alternative<Conflict>(outcome);
    };
    CHECK(refused("thing-1", stream_exists));
    CHECK(refused("thing-1", at_version(1)));
    CHECK_FALSE(refused("thing-1", no_stream));
    CHECK(refused("thing-1", no_stream));
    CHECK(refused("thing-1", at_version(0)));
    CHECK(refused("thing-1", at_version(2)));
    CHECK_FALSE(refused("thing-1", at_version(1)));
    CHECK_FALSE(refused("thing-1", stream_exists));
    CHECK_FALSE(refused("thing-1", any_version));
    CHECK_FALSE(refused("thing-2", any_version));
    CHECK(store.version("thing-1") == Version{4});
}

TEST_CASE("a conflict names stream expected and actual version and leaves no trace") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", no_stream, some(2));
    try {
        store.append("thing-1", at_version(1), {numbered(3)});
        FAIL("no conflict");
    } catch (const ConflictError& error) {
        CHECK(error.kind() == ErrorKind::conflict);
        CHECK_FALSE(error.retryable());
        CHECK(error.stream() == StreamName{"thing-1"});
        CHECK(error.expected() == at_version(1));
        CHECK(error.actual() == Version{2});
    }
    CHECK(store.head() == Position{2});
    CHECK(store.append("thing-1", at_version(2), {numbered(3)}).position == Position{3});
}

TEST_CASE("repeating an append returns the first result whatever was expected") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("other-1", any_version, some(5));
    const auto events = some(3);
    const auto first = store.append("thing-1", no_stream, events);
    store.append("thing-1", at_version(3), {numbered(4)});
    for (const auto expected :
         {no_stream, any_version, stream_exists, at_version(0), at_version(9)}) {
        for (EventStore again : {store, location.open()}) {
            const auto repeated = again.append("thing-1", expected, events);
            CHECK(repeated.repeated);
            CHECK(repeated.position == first.position);
            CHECK(repeated.version == first.version);
        }
    }
    CHECK(store.head() == Position{9});
}

TEST_CASE("an id that was used for something else is an error of its own") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto events = some(3);
    store.append("thing-1", no_stream, events);
    const auto refused = [&](const char* stream, std::vector<NewEvent> changed) {
        CHECK_THROWS_AS(store.append(stream, any_version, changed), DuplicateError);
        CHECK_MESSAGE(store.head() == Position{3}, "nothing of it is stored");
    };
    auto changed = events;
    changed[1].data = R"({"n":77})";
    refused("thing-1", changed);                              // another content
    refused("thing-2", events);                               // another stream
    refused("thing-1", {events[0], events[1], numbered(4)});  // a partial overlap
    refused("thing-1", {numbered(4), events[0]});             // new ones first
    refused("thing-1", {events[1], events[0], events[2]});    // another order
    const NewEvent twice = numbered(5);
    refused("thing-1", {twice, twice});  // one id twice in one append
    CHECK(store.version("thing-2") == Version{0});
    CHECK(store.append("thing-1", at_version(3), {numbered(6)}).position == Position{4});
}

TEST_CASE("what can never be stored is refused before anything is written") {
    const StoreLocation location;
    EventStore store = location.open({.payload_bytes_max = 1000, .append_events_max = 10});
    const EventType type = EventType::checked("thing.counted", 1);
    CHECK_THROWS_AS(store.append("thing-1", any_version, std::vector<NewEvent>{}), InvalidError);
    CHECK_THROWS_AS(store.append("thing-1", any_version, some(11)), InvalidError);
    for (const char* bad : {"", "{", "{\"n\":1}x", "nul", "{'n':1}", "\"\xff\""}) {
        CHECK_THROWS_AS(store.append("thing-1", any_version, {NewEvent{type, bad}}), InvalidError);
    }
    CHECK_THROWS_AS(
        store.append("thing-1", any_version, {NewEvent{type, '"' + std::string(1000, 'x') + '"'}}),
        InvalidError);
    NewEvent event = numbered(1);
    event.metadata = "[1]";
    CHECK_THROWS_AS(store.append("thing-1", any_version, {event}), InvalidError);
    for (const char* name : {"", "-x", "$x", "a b", "a\nb", "\xff"}) {
        CHECK_THROWS_AS(store.append(name, any_version, {numbered(1)}), InvalidError);
    }
    CHECK(store.head() == Position{0});
}

TEST_CASE("a transaction over several streams is stored entirely or not at all") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto done = store.transact([](Transaction& tx) {
        tx.append("a-1", no_stream, {numbered(1), numbered(2)});
        tx.append("b-1", no_stream, {numbered(3)});
        CHECK(tx.version("a-1") == Version{2});
        CHECK(tx.head() == Position{3});
        std::size_t seen = 0;
        for (const EventView event : tx.read_all()) seen += event.position().value();
        CHECK(seen == 6);
    });
    CHECK(done.position == Position{3});
    CHECK_THROWS_AS(store.transact([](Transaction& tx) {
        tx.append("a-1", at_version(2), {numbered(4)});
        tx.append("c-1", no_stream, {numbered(5, "never.seen")});
        tx.append("b-1", at_version(7), {numbered(6)});
    }),
                    ConflictError);
    CHECK(store.head() == Position{3});
    CHECK(store.version("a-1") == Version{2});
    CHECK(store.version("c-1") == Version{0});
    CHECK(count(store.read_all()) == 3);
    CHECK(store.append("c-1", no_stream, {numbered(7)}).position == Position{4});
}

TEST_CASE("a transaction goes on after a conflict that it expected") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("a-1", no_stream, some(1));
    store.transact([](Transaction& tx) {
        const std::vector<NewEvent> events{numbered(2)};
        CHECK(std::holds_alternative<Conflict>(tx.try_append("a-1", no_stream, events)));
        tx.append("a-2", no_stream, events);
    });
    CHECK(store.version("a-2") == Version{1});
}

TEST_CASE("a transaction whose append failed half-way cannot be committed") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto events = some(1);
    store.append("a-1", no_stream, events);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        CHECK_THROWS_AS(tx.append("a-2", any_version, {numbered(2), events[0]}), DuplicateError);
    }),
                    InvalidError);
    CHECK(store.head() == Position{1});
}

TEST_CASE("a transaction inside a transaction is refused instead of waiting for itself") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([&](Transaction&) {
        CHECK_THROWS_AS(store.append("a-1", any_version, {numbered(1)}), InvalidError);
        CHECK_THROWS_AS(store.transact([](Transaction&) {}), InvalidError);
    });
    CHECK(store.head() == Position{0});
}

TEST_CASE("a hook commits with the append and its failure fails only that append") {
    const StoreLocation location;
    EventStore store = location.open();
    store.transact([](Transaction& tx) { tx.sql().script("CREATE TABLE seen(head INTEGER)"); });
    auto hook = store.add_commit_hook([](Transaction& tx) {
        if (tx.version("bad-1") > Version{0}) throw std::runtime_error("no");
        tx.sql().exec("INSERT INTO seen(head) VALUES(?)", tx.head());
    });
    store.append("good-1", any_version, some(2));
    CHECK_THROWS_WITH(store.append("bad-1", any_version, some(1)), "no");
    CHECK_THROWS_WITH(
        store.transact([](Transaction& tx) { tx.append("bad-1", any_version, some(1)); }), "no");
    store.append("good-1", any_version, some(1));
    hook.reset();
    store.append("bad-1", any_version, some(1));
    std::string heads;
    store.query([&](Sql& sql) {
        sql.each("SELECT head FROM seen",
                 [&](const SqlRow& row) { heads += std::string(row.text(0)) + " "; });
    });
    CHECK(heads == "2 3 ");
    CHECK(store.head() == Position{4});
}
