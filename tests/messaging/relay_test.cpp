#include "daybook/messaging/relay.hpp"

#include <stdexcept>

#include "messaging_fixture.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("a relay delivers what was published in the order of the commits") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    for (int n = 1; n <= 5; ++n) shop.send(n, {.key = n % 2 == 0 ? "even" : "odd"});
    CHECK(relay.run_once() == 5);
    CHECK(transport.take() == Numbers{1, 2, 3, 4, 5});
    CHECK(shop.waiting() == 0);
    CHECK(relay.run_once() == 0);
}

TEST_CASE("a message arrives as it was published") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    const EventId id = EventId::generate();
    const Trace trace{EventId::generate(), EventId::generate()};
    shop.store.transact(
        [&](Transaction& tx) {
            tx.publish("post", Parcel{7},
                       {.key = "k", .id = id, .reply_to = "answers", .headers = R"({"a":1})"});
        },
        trace);
    REQUIRE(relay.run_once() == 1);
    const Message& message = transport.seen().front();
    CHECK(message.id == id);
    CHECK(message.topic == "post");
    CHECK(message.key == "k");
    CHECK(message.is<Parcel>());
    CHECK(message.as<Parcel>().n == 7);
    CHECK(message.headers == R"({"a":1})");
    CHECK(message.reply_to == "answers");
    CHECK(message.trace.correlation == trace.correlation);
    CHECK(message.trace.causation == trace.causation);
    CHECK(message.created_at == noon);
    CHECK(message.attempt == 1);
}

TEST_CASE("one run delivers all that is due however small the batches are") {
    Shop shop;
    ScriptedTransport transport;
    RelayOptions options = patient();
    options.batch_max = 3;
    Relay relay{shop.store, transport, options};
    for (int n = 1; n <= 10; ++n) shop.send(n);
    CHECK(relay.run_once() == 10);
}

TEST_CASE("handlers that write to each other do not keep one run busy for ever") {
    Shop shop;
    ScriptedTransport transport{[&](const Message& message) {
        shop.send(message.as<Parcel>().n + 1);
        return Delivery{};
    }};
    RelayOptions options = patient();
    options.batch_max = 1;
    Relay relay{shop.store, transport, options};
    shop.send(1);
    CHECK(relay.run_once() == 1);
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE("a delayed message comes when it is due and delays no other before") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "k", .due_at = noon + 10s});
    shop.send(2, {.key = "k"});
    CHECK(relay.run_once() == 1);
    CHECK(relay.next_due() == noon + 10s);
    shop.clock.set(noon + 9s);
    CHECK(relay.run_once() == 0);
    shop.clock.set(noon + 10s);
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{2, 1});
    CHECK_FALSE(relay.next_due());
}

TEST_CASE("messages that fell due while no relay ran come in the order of their instants") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.due_at = noon + 30s});
    shop.send(2, {.due_at = noon + 10s});
    shop.send(3, {.due_at = noon + 20s});
    shop.clock.set(noon + 15s);
    shop.send(4);
    shop.clock.set(noon + 1h);
    CHECK(relay.run_once() == 4);
    CHECK(transport.take() == Numbers{2, 4, 3, 1});
}

TEST_CASE("many timers that fall due at once leave live messages their half of each batch") {
    Shop shop;
    ScriptedTransport transport;
    RelayOptions options = patient();
    options.batch_max = 4;
    Relay relay{shop.store, transport, options};
    for (int n = 1; n <= 8; ++n) shop.send(n, {.due_at = noon + 1s});
    shop.clock.set(noon + 1h);
    for (int n = 101; n <= 104; ++n) shop.send(n);
    CHECK(relay.run_once() == 12);
    CHECK(transport.take() == Numbers{1, 2, 101, 102, 3, 4, 103, 104, 5, 6, 7, 8});
}

TEST_CASE("a clock that was set back does not reorder a key nor hold a message") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "k"});
    shop.clock.set(noon - 1h);
    shop.send(2, {.key = "k"});
    CHECK(relay.next_due() == noon - 1h);
    CHECK(relay.run_once() == 2);
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE("a failed message is tried again after its wait and then delivered") {
    Shop shop;
    ScriptedTransport transport{
        [](const Message& message) { return message.attempt < 3 ? failed("busy") : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    CHECK(relay.run_once() == 0);
    CHECK(relay.next_due() == noon + 1s);
    CHECK(outbox_list(shop.store).front().last_error == "busy");
    CHECK(relay.run_once() == 0);
    CHECK(transport.take() == Numbers{1});
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 0);
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 1);
    CHECK(transport.seen().back().attempt == 3);
}

TEST_CASE("what waits behind a retried message follows it in the same run") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        return message.as<Parcel>().n == 1 && message.attempt == 1 ? failed() : Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    shop.send(3, {.key = "other"});
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 3});
    shop.send(4, {.key = "k"});
    CHECK(relay.run_once() == 0);
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 3);
    CHECK(transport.take() == Numbers{1, 2, 4});
}

TEST_CASE("a key belongs to its topic") {
    Shop shop;
    ScriptedTransport transport{
        [](const Message& message) { return message.topic == "payment" ? failed() : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "order-7"}, "payment");
    shop.send(2, {.key = "order-7"}, "warehouse");
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE("messages without a key do not wait for each other") {
    Shop shop;
    ScriptedTransport transport{
        [](const Message& message) { return message.as<Parcel>().n == 1 ? failed() : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    shop.send(2);
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE("a transport that throws has failed and not ended the relay") {
    Shop shop;
    ScriptedTransport transport{[](const Message&) -> Delivery {
        try {
            throw std::runtime_error("socket closed");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("cannot send"));
        }
    }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    CHECK(relay.run_once() == 0);
    CHECK(outbox_list(shop.store).front().last_error == "cannot send\ncaused by: socket closed");
}

TEST_CASE("the same seed draws the same waits") {
    const auto waits = [](std::optional<std::uint64_t> seed) {
        Shop shop;
        ScriptedTransport transport{[](const Message&) { return failed(); }};
        RelayOptions options{.name = "relay",
                             .retry = exponential(1h, 2.0, 24h).full_jitter().attempts(9),
                             .seed = seed};
        Relay relay{shop.store, transport, options};
        for (int n = 1; n <= 3; ++n) shop.send(n);
        relay.run_once();
        std::vector<std::optional<Timestamp>> instants;
        for (const auto& waiting : outbox_list(shop.store)) instants.push_back(waiting.until);
        return instants;
    };
    CHECK(waits(7) == waits(7));
    CHECK(waits(7) != waits(8));
    CHECK(waits({}) != waits({}));
}

TEST_CASE("the limit on speed counts deliveries in a second of the store's clock") {
    Shop shop;
    ScriptedTransport transport;
    RelayOptions options = patient();
    options.per_second_max = 2;
    Relay relay{shop.store, transport, options};
    for (int n = 1; n <= 5; ++n) shop.send(n);
    CHECK(relay.run_once() == 2);
    CHECK(relay.run_once() == 0);
    CHECK(relay.next_due() == noon + 1s);
    CHECK(relay.last_error().empty());
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 2);
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 1);
}

TEST_CASE("a relay refuses options that cannot work") {
    Shop shop;
    ScriptedTransport transport;
    CHECK_THROWS_AS(Relay(shop.store, transport, {.batch_max = 0}), InvalidError);
    CHECK_THROWS_AS(Relay(shop.store, transport, {.retry = every(1s).attempts(0)}), InvalidError);
    CHECK_THROWS_AS(Relay(shop.store, transport, {.lease = 0ms}), InvalidError);
}

TEST_CASE("F1: a message that commits later under an earlier sequence number is not skipped") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    for (int n = 1; n <= 3; ++n) shop.send(n);
    CHECK(relay.run_once() == 3);
    // The table is empty and sequences are reused, which would break a cursor kept over runs.
    shop.send(4);
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 2, 3, 4});
}

TEST_CASE("F5: a poison message parks its key and other keys go on") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        return message.as<Parcel>().n == 1 ? failed("poison") : Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    const EventId poison = shop.send(1, {.key = "sick"});
    shop.send(2, {.key = "sick"});
    shop.send(3, {.key = "well"});
    std::size_t ended = 0;
    for (int second = 0; second < 5; ++second) {
        ended += relay.run_once();
        shop.clock.advance(1s);
    }
    CHECK(ended == 2);
    CHECK(transport.take() == Numbers{1, 3, 1, 1});

    const auto letter = DeadLetters{shop.store}.find(poison);
    REQUIRE(letter);
    CHECK(letter->reason == ParkReason::exhausted);
    CHECK(letter->error == "poison");
    CHECK(letter->message.attempt == 3);
    CHECK(letter->holds == 1);
    CHECK(letter->parked_by == "relay");

    shop.send(4, {.key = "sick"});
    shop.send(5, {.key = "well"});
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{5});
    CHECK(outbox_status(shop.store).blocked == 2);
    CHECK_FALSE(relay.next_due());
}

TEST_CASE("F5: a rejected message parks at once") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        return message.as<Parcel>().n == 1 ? rejected("cannot be read") : Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    shop.send(3, {.key = "other"});
    CHECK(relay.run_once() == 2);
    CHECK(transport.take() == Numbers{1, 3});
    CHECK(DeadLetters{shop.store}.list().front().reason == ParkReason::rejected);
    CHECK(DeadLetters{shop.store}.list().front().message.attempt == 1);
}

TEST_CASE("F5: a batch full of blocked messages does not stop the keys behind it") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        return message.as<Parcel>().n == 1 ? rejected() : Delivery{};
    }};
    RelayOptions options = patient();
    options.batch_max = 3;
    Relay relay{shop.store, transport, options};
    shop.send(1, {.key = "sick"});
    CHECK(relay.run_once() == 1);
    for (int n = 2; n <= 8; ++n) shop.send(n, {.key = "sick"});
    shop.send(9, {.key = "well"});
    CHECK(relay.run_once() == 1);
    CHECK(transport.take() == Numbers{1, 9});
}

TEST_CASE("F7: a transport that is down for hours costs no attempt and drains afterwards") {
    Shop shop;
    bool is_down = true;
    ScriptedTransport transport{
        [&](const Message&) { return is_down ? down("no route") : Delivery{}; }};
    RelayOptions options = patient();
    options.down_pause = 5s;
    Relay relay{shop.store, transport, options};
    for (int n = 1; n <= 3; ++n) shop.send(n, {.key = "k"});
    for (int i = 0; i < 1'000; ++i) {
        CHECK(relay.run_once() == 0);
        REQUIRE(relay.next_due() == shop.clock.now() + 5s);
        CHECK(relay.last_error() == "no route");
        shop.clock.advance(5s);
    }
    CHECK(transport.take().size() == 1'000);
    CHECK(outbox_list(shop.store).front().message.attempt == 0);
    is_down = false;
    CHECK(relay.run_once() == 3);
    CHECK(relay.last_error().empty());
    CHECK(transport.seen().front().attempt == 1);
    CHECK(transport.take() == Numbers{1, 2, 3});
}

TEST_CASE("F7: a clock set back does not turn the pause into a long one") {
    Shop shop;
    bool is_down = true;
    ScriptedTransport transport{[&](const Message&) { return is_down ? down() : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    relay.run_once();
    is_down = false;
    shop.clock.set(noon - 24h);
    CHECK(relay.run_once() == 1);
}

TEST_CASE("F11: no message is removed before its delivery was confirmed") {
    Shop shop;
    std::size_t waiting_meanwhile = 0;
    ScriptedTransport transport{[&](const Message&) {
        waiting_meanwhile = shop.waiting();
        return Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    for (int n = 1; n <= 3; ++n) shop.send(n);
    CHECK(relay.run_once() == 3);
    CHECK(waiting_meanwhile == 3);
    CHECK(shop.waiting() == 0);
}

TEST_CASE("F5: messages that fail in the middle of a batch stay and the rest of it is removed") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        const auto n = message.as<Parcel>().n;
        if (n == 40) return failed();
        return n == 70 ? rejected() : Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    // The keys of 40 and 70 come again as 60 and 90.
    shop.store.transact([](Transaction& tx) {
        for (int n = 1; n <= 100; ++n) {
            tx.publish("post", Parcel{n}, {.key = std::to_string(n % 20) + (n < 61 ? "a" : "b")});
        }
    });
    CHECK(relay.run_once() == 97);
    const auto waiting = outbox_list(shop.store);
    REQUIRE(waiting.size() == 3);
    CHECK(waiting[0].message.as<Parcel>().n == 40);
    CHECK(waiting[0].waits_for == OutboxWait::retry);
    CHECK(waiting[1].message.as<Parcel>().n == 60);
    CHECK(waiting[1].waits_for == OutboxWait::blocked);
    CHECK(waiting[2].message.as<Parcel>().n == 90);
    CHECK(waiting[2].waits_for == OutboxWait::blocked);
    CHECK(outbox_status(shop.store).parked == 1);
    transport.set_script({});
    shop.clock.advance(1s);
    transport.take();
    CHECK(relay.run_once() == 2);
    CHECK(transport.take() == Numbers{40, 60});
}

TEST_CASE("a batch of any size is removed whole and leaves the others alone") {
    for (const int size : {1, 2, 8, 9, 99, 100, 101, 250}) {
        CAPTURE(size);
        Shop shop;
        ScriptedTransport transport;
        RelayOptions options = patient();
        options.batch_max = 1'000;
        Relay relay{shop.store, transport, options};
        shop.send(-1, {.due_at = noon + 1h});
        shop.store.transact([size](Transaction& tx) {
            for (int n = 1; n <= size; ++n) tx.publish("post", Parcel{n});
        });
        CHECK(relay.run_once() == static_cast<std::size_t>(size));
        CHECK(transport.seen().size() == static_cast<std::size_t>(size));
        const auto waiting = outbox_list(shop.store);
        REQUIRE(waiting.size() == 1);
        CHECK(waiting.front().message.as<Parcel>().n == -1);
    }
}

TEST_CASE("F17: a message with a nil id is refused when it is published") {
    Shop shop;
    CHECK_THROWS_AS(shop.send(1, {.id = EventId{}}), InvalidError);
    CHECK(shop.waiting() == 0);
}

TEST_CASE("F20: what was published in a transaction that failed never leaves") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    CHECK_THROWS_AS(shop.store.transact([](Transaction& tx) {
        tx.publish("post", Parcel{1});
        throw std::runtime_error("changed my mind");
    }),
                    std::runtime_error);
    CHECK(relay.run_once() == 0);
    CHECK(transport.take().empty());
}
