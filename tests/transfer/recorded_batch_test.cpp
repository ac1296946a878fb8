#include <doctest/doctest.h>

#include "transfer_fixture.hpp"

using namespace transfer_test;
using daybook::test::StoreLocation;

namespace {

/// The events of a store whose positions are in [first, last].
RecordedBatch batch_of(const EventStore& store, Position first, Position last) {
    RecordedBatch batch;
    for (const EventView event : store.read_all({.from = first})) {
        if (event.position() <= last) batch.add(event);
    }
    return batch;
}

std::size_t import(EventStore& store, const RecordedBatch& batch) {
    std::size_t stored = 0;
    store.transact([&](Transaction& tx) { stored = tx.append_recorded(batch); });
    return stored;
}

}  // namespace

TEST_CASE("recorded events are stored as they were") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    EventStore target = to.open();
    const Position head = append_events(source, 40);
    CHECK(import(target, batch_of(source, 1, head)) == head.value());
    CHECK(log_of(target) == log_of(source));
    target.transact([](Transaction& tx) { CHECK(tx.append_recorded({}) == 0); });
}

TEST_CASE("recorded events that come again in batches of another cut are harmless") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    EventStore target = to.open();
    source.append("thing-1", any_version, {numbered(1), numbered(2), numbered(3), numbered(4)});
    CHECK(import(target, batch_of(source, 1, 2)) == 2);
    CHECK(import(target, batch_of(source, 1, 2)) == 0);
    CHECK(import(target, batch_of(source, 1, 4)) == 2);
    CHECK(import(target, batch_of(source, 3, 4)) == 0);
    CHECK(import(target, batch_of(source, 2, 3)) == 0);
    CHECK(log_of(target) == log_of(source));
}

TEST_CASE("recorded events that do not fit conflict and leave nothing behind") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    EventStore target = to.open();
    source.append("thing-1", any_version, {numbered(1)});
    source.append("thing-2", any_version, {numbered(2), numbered(3)});
    SUBCASE("another program wrote to the stream") {
        target.append("thing-2", any_version, {numbered(9)});
        const auto before = log_of(target);
        CHECK_THROWS_WITH_AS(import(target, batch_of(source, 1, 3)), doctest::Contains("thing-2"),
                             ConflictError);
        CHECK(log_of(target) == before);
    }
    SUBCASE("an event before it is missing") {
        CHECK_THROWS_WITH_AS(import(target, batch_of(source, 3, 3)), doctest::Contains("thing-2"),
                             ConflictError);
        CHECK(target.head() == Position{0});
    }
    SUBCASE("it is stored at another position") {
        for (const EventView event : source.read("thing-2")) {
            RecordedBatch moved;
            NewEvent copy{EventType::checked(event.type(), 1), std::string(event.data())};
            copy.id = event.id();
            moved.add("thing-2", 1, event.recorded_at(), copy);
            if (event.version() == Version{2}) import(target, moved);
        }
        CHECK_THROWS_AS(import(target, batch_of(source, 2, 3)), Error);
        CHECK(target.head() == Position{1});
    }
    SUBCASE("a conflict that is caught spoils the transaction all the same") {
        target.append("thing-2", any_version, {numbered(9)});
        CHECK_THROWS_AS(target.transact([&](Transaction& tx) {
            try {
                tx.append_recorded(batch_of(source, 1, 3));
            } catch (const ConflictError&) {}
        }),
                        InvalidError);
        CHECK(target.head() == Position{1});
    }
}

TEST_CASE("commit hooks run once for a batch and not for a repeat") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    EventStore target = to.open();
    const Position head = append_events(source, 10);
    int calls = 0;
    const auto hook = target.add_commit_hook([&](Transaction& tx) {
        ++calls;
        CHECK(tx.head() == head);
    });
    import(target, batch_of(source, 1, head));
    CHECK(calls == 1);
    import(target, batch_of(source, 1, head));
    CHECK(calls == 1);
}

TEST_CASE("a recorded event needs an id and a version" * doctest::test_suite("no-store")) {
    RecordedBatch batch;
    CHECK_THROWS_AS(batch.add("thing-1", 0, Timestamp{}, numbered(1)), InvalidError);
    NewEvent nameless = numbered(1);
    nameless.id = {};
    CHECK_THROWS_AS(batch.add("thing-1", 1, Timestamp{}, nameless), InvalidError);
    CHECK(batch.empty());
}

TEST_CASE("a password in a uri is never shown [E20]" * doctest::test_suite("no-store")) {
    CHECK(shown_uri("orders.db") == "orders.db");
    CHECK(shown_uri("sqlite:orders@home:1.db") == "sqlite:orders@home:1.db");
    CHECK(shown_uri("postgresql://db:5432/orders") == "postgresql://db:5432/orders");
    CHECK(shown_uri("postgresql://ada@db/orders") == "postgresql://ada@db/orders");
    for (const char* uri :
         {"postgresql://ada:geheim@db/orders?schema=x", "postgresql://ada:ge@heim@db/orders",
          "postgres://ada:geheim@", "postgresql://ada:ge/heim?x@db",
          "postgresql://db/x?password=geheim",
          "postgresql://db/x?user=a&password=geheim&sslpassword=geheim&schema=y"}) {
        const std::string shown = shown_uri(uri);
        CHECK_MESSAGE(shown.find("heim") == std::string::npos, shown);
        CHECK_MESSAGE(shown.find("***") != std::string::npos, shown);
    }
    CHECK(shown_uri("postgresql://db/x?password=geheim&schema=y") ==
          "postgresql://db/x?password=***&schema=y");
    for (const char* uri :
         {"postgresql://ada:ge@heim@127.0.0.1:1/orders", "postgresql://ada:ge/heim@127.0.0.1:1/o",
          "postgresql://ada:ge?heim@127.0.0.1:1/o", "postgresql://ada:ge%zzheim@127.0.0.1:1/o",
          "postgresql://ada:geheim@127.0.0.1:1/o", "other://ada:geheim@db/x"}) {
        CAPTURE(uri);
        try {
            EventStore::open(uri);
            FAIL("opened");
        } catch (const Error& error) {
            CHECK(std::string_view{error.what()}.find("heim") == std::string_view::npos);
        }
    }
}
