#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "daybook/eventstore/store_access.hpp"
#include "messaging_fixture.hpp"
#include "patience.hpp"
#include "store_location.hpp"

// Two builds of a program side by side on one store, each with its own receivers.

using namespace daybook;
using namespace daybook::test;

namespace {

RelayOptions named(std::string name, std::chrono::milliseconds wait_max = 5min) {
    RelayOptions options = patient();
    options.name = std::move(name);
    options.unhandled_wait_max = wait_max;
    return options;
}

/// A program that takes letters, and parcels only if it is the newer build.
struct Build {
    LocalTransport transport;
    Relay relay;
    Numbers parcels;
    std::size_t letters = 0;

    Build(EventStore store, std::string name, bool is_newer)
        : transport(store), relay(store, transport, named(std::move(name))) {
        Consumer post = transport.consumer("post");
        post.on<Letter>([this](const Letter&, Transaction&) { ++letters; });
        if (!is_newer) return;
        post.on<Parcel>(
            [this](const Parcel& parcel, Transaction&) { parcels.push_back(parcel.n); });
    }
};

void send_letter(Shop& shop, PublishOptions options = {}) {
    shop.store.transact([&](Transaction& tx) { tx.publish("post", Letter{"dear"}, options); });
}

}  // namespace

TEST_CASE("what one program has no receiver for another one takes at once [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    Build newer{shop.store, "newer", true};
    for (int n = 1; n <= 20; ++n) shop.send(n, {.key = std::to_string(n)});
    CHECK(older.relay.run_once() == 0);
    CHECK(outbox_status(shop.store).unhandled == 20);
    CHECK(outbox_list(shop.store).front().waits_for == OutboxWait::receiver);
    CHECK(newer.relay.run_once() == 20);
    CHECK(newer.parcels.size() == 20);
    CHECK(outbox_status(shop.store).unsent() == 0);
    CHECK(older.transport.counts().rejected == 0);
}

TEST_CASE(
    "what was left to others at the first instant of a clock, or before, is offered too [B9]") {
    for (const Timestamp begin : {Timestamp{}, Timestamp{-1h}}) {
        Shop shop;
        shop.clock.set(begin);
        Build older{shop.store, "older", false};
        shop.send(1);
        shop.send(2);
        CHECK(older.relay.run_once() == 0);
        {
            Build newer{shop.store, "newer", true};
            CHECK(newer.relay.run_once() == 2);
        }
        shop.send(3);
        CHECK(older.relay.run_once() == 0);
        shop.clock.advance(5min);
        CHECK(older.relay.run_once() == 1);
        CHECK(outbox_status(shop.store).parked == 1);
    }
}

TEST_CASE("messages of one key keep their order when two programs deliver them [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    Build newer{shop.store, "newer", true};
    for (int n = 1; n <= 4; ++n) {
        shop.send(n, {.key = "k"});
        send_letter(shop, {.key = "k"});
    }
    for (int turn = 0; turn < 20 && outbox_status(shop.store).unsent() > 0; ++turn) {
        older.relay.run_once();
        newer.relay.run_once();
    }
    CHECK(newer.parcels == Numbers{1, 2, 3, 4});
    CHECK(older.letters + newer.letters == 4);
    CHECK(older.letters > 0);
    CHECK(outbox_status(shop.store).unsent() == 0);
}

TEST_CASE("what nobody takes holds its own key and nothing else [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    shop.send(1, {.key = "k"});
    send_letter(shop, {.key = "k"});
    send_letter(shop, {.key = "other"});
    send_letter(shop);
    CHECK(older.relay.run_once() == 2);
    CHECK(older.relay.run_once() == 0);
    const auto status = outbox_status(shop.store);
    CHECK(status.unhandled == 1);
    CHECK(status.blocked == 1);
    CHECK(status.parked == 0);
}

TEST_CASE("F15: what no program takes in time parks and says so, over restarts") {
    Shop shop;
    EventId id;
    {
        Build older{shop.store, "older", false};
        id = shop.send(1, {.key = "k"});
        older.relay.run_once();
        CHECK(older.relay.next_due() == noon + 5min);
    }
    shop.clock.advance(4min);
    Build again{shop.store, "older", false};
    CHECK(again.relay.run_once() == 0);
    CHECK(outbox_list(shop.store).front().until == noon + 5min);
    shop.clock.advance(1min);
    CHECK(again.relay.run_once() == 1);
    const auto letter = DeadLetters{shop.store}.find(id);
    REQUIRE(letter);
    CHECK(letter->reason == ParkReason::unhandled);
    CHECK(letter->error.find("no handler for 'parcel.sent' version 1") != std::string::npos);

    // A replayed message is left for the full time again.
    DeadLetters{shop.store}.replay({.id = id});
    CHECK(again.relay.run_once() == 0);
    Build newer{shop.store, "newer", true};
    CHECK(newer.relay.run_once() == 1);
    CHECK(newer.parcels == Numbers{1});
}

TEST_CASE("a program that takes a message still gets it when it is due to be parked [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    Build newer{shop.store, "newer", true};
    shop.send(1);
    older.relay.run_once();
    shop.clock.advance(5min);
    CHECK(newer.relay.run_once() == 1);
    CHECK(newer.parcels == Numbers{1});
    CHECK(outbox_status(shop.store).parked == 0);
}

TEST_CASE("a receiver that finds no use for a message leaves it as it was [B9]") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consume("post", "older", [](const Message&, Transaction& tx) {
        tx.append("trace-1", any_version, {Parcel{7}});
        throw UnhandledMessage("this build knows no such step");
    });
    Relay older{shop.store, transport, named("older")};
    const EventId id = shop.send(1);
    for (int turn = 0; turn < 5; ++turn) CHECK(older.run_once() == 0);
    CHECK(shop.store.version("trace-1") == Version{0});
    const auto waiting = outbox_list(shop.store);
    REQUIRE(waiting.size() == 1);
    CHECK(waiting.front().message.id == id);
    CHECK(waiting.front().message.attempt == 0);
    CHECK(waiting.front().last_error == "this build knows no such step");
    Build newer{shop.store, "newer", true};
    CHECK(newer.relay.run_once() == 1);
    CHECK(newer.parcels == Numbers{1});
}

TEST_CASE("a failure at the program that takes it counts as one of the attempts [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    LocalTransport transport{shop.store};
    transport.consumer("post").on<Parcel>(
        [](const Parcel&, Transaction&) { throw std::runtime_error("not now"); });
    Relay newer{shop.store, transport, named("newer")};
    shop.send(1);
    for (int turn = 0; turn < 3; ++turn) {
        older.relay.run_once();
        newer.run_once();
        shop.clock.advance(1s);
    }
    const auto letters = DeadLetters{shop.store}.list();
    REQUIRE(letters.size() == 1);
    CHECK(letters.front().reason == ParkReason::exhausted);
    CHECK(letters.front().message.attempt == 3);
}

TEST_CASE("a program that dies of a message that was left to it is not the last to see it [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    shop.send(1);
    older.relay.run_once();
    // A newer program acquired the lease on the messages left to other programs, and died.
    shop.store.transact([](Transaction& tx) {
        detail::store_sql(tx).exec(
            "INSERT INTO daybook_lease(name, owner, token, until, duration)"
            " VALUES('outbox/unhandled', 'dead', 7, 1, 1)");
    });
    int attempt_on_disk = 0;
    LocalTransport transport{shop.store};
    transport.consumer("post").on<Parcel>([&](const Parcel&, Transaction& tx) {
        attempt_on_disk =
            static_cast<int>(tx.sql().integer("SELECT attempts FROM outbox").value_or(0));
    });
    Relay newer{shop.store, transport, named("newer")};
    CHECK(newer.run_once() == 1);
    CHECK(attempt_on_disk == 1);
}

TEST_CASE("what is left to others does not park while the clock is set back [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    shop.send(1);
    older.relay.run_once();
    shop.clock.set(noon - 1h);
    CHECK(older.relay.run_once() == 0);
    CHECK(outbox_list(shop.store).front().until == noon - 1h + 5min);
    shop.clock.advance(5min);
    CHECK(older.relay.run_once() == 1);
}

TEST_CASE("a topic with more left to others than a page is scanned to the end [B9]") {
    Shop shop;
    Build older{shop.store, "older", false};
    Build newer{shop.store, "newer", true};
    shop.store.transact([](Transaction& tx) {
        for (int n = 1; n <= 250; ++n) tx.publish("nowhere", Parcel{n});
        for (int n = 1; n <= 150; ++n) tx.publish("post", Parcel{n});
    });
    CHECK(older.relay.run_once() == 0);
    CHECK(newer.relay.run_once() == 150);
    CHECK(outbox_status(shop.store).unhandled == 250);
}

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("two builds at work deliver all that either takes and park nothing [B9]") {
    const StoreLocation location;
    EventStore publisher = location.open({.durability = Durability::off});
    std::mutex mutex;
    std::map<std::string, Numbers> by_key;
    const auto take = [&](const Message& message) {
        const std::scoped_lock lock{mutex};
        by_key[message.key].push_back(message.as<Parcel>().n);
    };
    EventStore older_store = location.open({.durability = Durability::off});
    EventStore newer_store = location.open({.durability = Durability::off});
    LocalTransport older{older_store};
    LocalTransport newer{newer_store};
    older.consume("old", "old", [&](const Message& message, Transaction&) { take(message); });
    newer.consume("new", "new", [&](const Message& message, Transaction&) { take(message); });
    Relay older_relay{older_store, older, {.name = "older"}};
    Relay newer_relay{newer_store, newer, {.name = "newer"}};
    older_relay.start();
    newer_relay.start();
    for (int n = 1; n <= 10; ++n) {
        publisher.transact([&](Transaction& tx) {
            for (const char* topic : {"old", "new"}) {
                for (int key = 0; key < 4; ++key) {
                    tx.publish(topic, Parcel{n}, {.key = topic + std::to_string(key)});
                }
            }
        });
    }
    CHECK(eventually([&] { return outbox_status(publisher).unsent() == 0; }));
    older_relay.stop();
    newer_relay.stop();
    REQUIRE(by_key.size() == 8);
    for (const auto& [key, numbers] : by_key) {
        CAPTURE(key);
        CHECK(numbers == Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }
}

TEST_SUITE_END();
