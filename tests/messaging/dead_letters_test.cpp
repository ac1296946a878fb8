#include "daybook/messaging/dead_letters.hpp"

#include "messaging_fixture.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

/// A shop whose parcels up to number `poison` are rejected while `broken`.
struct SickShop : Shop {
    bool broken = true;
    std::int64_t poison = 1;
    ScriptedTransport transport{[this](const Message& message) {
        return broken && message.as<Parcel>().n <= poison ? rejected("no such customer")
                                                          : Delivery{};
    }};
    Relay relay{store, transport, patient()};
    DeadLetters letters{store};
};

}  // namespace

TEST_CASE("F6: a replayed message goes before the newer ones of its key") {
    SickShop shop;
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    shop.send(3, {.key = "k"});
    shop.relay.run_once();
    shop.send(4, {.key = "k"});
    shop.relay.run_once();
    CHECK(shop.transport.take() == Numbers{1});

    shop.broken = false;
    CHECK(shop.letters.replay({.key = "k"}).ids.size() == 1);
    CHECK(shop.letters.list().empty());
    shop.send(5, {.key = "k"});
    CHECK(shop.relay.run_once() == 5);
    CHECK(shop.transport.take() == Numbers{1, 2, 3, 4, 5});
    CHECK(shop.transport.seen().empty());
}

TEST_CASE("F6: a replayed message that was delayed still goes before the newer ones") {
    SickShop shop;
    shop.send(1, {.key = "k", .due_at = noon + 10s});
    shop.clock.set(noon + 5s);
    shop.send(2, {.key = "k", .due_at = noon + 11s});
    shop.clock.set(noon + 10s);
    shop.relay.run_once();
    shop.send(3, {.key = "k"});
    shop.clock.set(noon + 20s);
    shop.relay.run_once();
    CHECK(shop.transport.take() == Numbers{1});
    shop.broken = false;
    shop.letters.replay({});
    CHECK(shop.relay.run_once() == 3);
    CHECK(shop.transport.take().front() == 1);
}

TEST_CASE("F6: a replayed message has all its attempts again and parks again if it must") {
    SickShop shop;
    shop.transport.set_script([](const Message&) { return failed(); });
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    const auto run_until_parked = [&] {
        for (int i = 0; i < 3; ++i) {
            shop.relay.run_once();
            shop.clock.advance(1s);
        }
        REQUIRE(shop.letters.list().size() == 1);
    };
    run_until_parked();
    CHECK(shop.transport.take() == Numbers{1, 1, 1});
    shop.letters.replay({});
    run_until_parked();
    CHECK(shop.transport.take() == Numbers{1, 1, 1});
    CHECK(shop.letters.list().front().holds == 1);
}

TEST_CASE("F6: letters of one key that were replayed together go in their order") {
    SickShop shop;
    shop.poison = 3;
    shop.send(1, {.key = "k"});
    shop.relay.run_once();
    shop.broken = false;
    shop.letters.replay({});
    shop.broken = true;
    shop.send(2, {.key = "other"});
    shop.send(3);
    shop.relay.run_once();
    CHECK(shop.letters.list().size() == 3);
    shop.transport.take();
    shop.broken = false;
    CHECK(shop.letters.replay({}).ids.size() == 3);
    CHECK(shop.relay.run_once() == 3);
    CHECK(shop.transport.take() == Numbers{1, 2, 3});
}

TEST_CASE("a discarded message stays away and what waited behind it goes on") {
    SickShop shop;
    const EventId id = shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    shop.relay.run_once();
    CHECK(shop.relay.run_once() == 0);
    CHECK_THROWS_AS(shop.letters.discard({.id = id}, ""), InvalidError);
    CHECK(shop.letters.discard({.id = id}, "customer has gone") == std::vector{id});
    CHECK(shop.letters.list().empty());
    CHECK(shop.relay.run_once() == 1);
    CHECK(shop.transport.take() == Numbers{1, 2});
    CHECK(shop.letters.replay({}).ids.empty());
}

TEST_CASE("F14: parked messages outlive the purge of discarded ones") {
    SickShop shop;
    shop.poison = 2;
    const EventId parked = shop.send(1, {.key = "a"});
    const EventId discarded = shop.send(2, {.key = "b"});
    shop.relay.run_once();
    shop.letters.discard({.id = discarded}, "not needed");
    CHECK(shop.letters.purge_discarded(noon) == 0);
    CHECK(shop.letters.purge_discarded(noon + 1s) == 1);
    REQUIRE(shop.letters.list().size() == 1);
    CHECK(shop.letters.list().front().message.id == parked);
}

TEST_CASE("dead letters are found by topic and key and id") {
    SickShop shop;
    shop.poison = 9;
    const EventId a = shop.send(1, {.key = "a"}, "post");
    const EventId b = shop.send(2, {.key = "b"}, "post");
    const EventId c = shop.send(3, {.key = "a"}, "freight");
    CHECK(shop.relay.run_once() == 3);
    CHECK(shop.letters.dry_run({}) == std::vector{a, b, c});
    CHECK(shop.letters.dry_run({.topic = "post"}) == std::vector{a, b});
    CHECK(shop.letters.dry_run({.key = "a"}) == std::vector{a, c});
    CHECK(shop.letters.dry_run({.topic = "freight", .key = "a"}) == std::vector{c});
    CHECK(shop.letters.dry_run({.limit = 2}) == std::vector{a, b});
    CHECK(shop.letters.find(b)->message.key == "b");
    CHECK_FALSE(shop.letters.find(EventId::generate()));
    CHECK(shop.letters.list().size() == 3);
    CHECK(shop.waiting() == 0);
}

TEST_CASE("a dead letter shows the message and why it was parked") {
    SickShop shop;
    shop.send(1, {.key = "k", .reply_to = "answers", .headers = R"({"a":1})"});
    shop.clock.advance(5s);
    shop.relay.run_once();
    const DeadLetter letter = shop.letters.list().front();
    CHECK(letter.message.as<Parcel>().n == 1);
    CHECK(letter.message.headers == R"({"a":1})");
    CHECK(letter.message.reply_to == "answers");
    CHECK(letter.message.created_at == noon);
    CHECK(letter.parked_at == noon + 5s);
    CHECK(letter.reason == ParkReason::rejected);
    CHECK(letter.error == "no such customer");
    CHECK(letter.number == 1);
}

TEST_CASE("a letter that was published again is one message with the one that waits [B8]") {
    SickShop shop;
    shop.poison = 2;
    const EventId id = shop.send(1, {.key = "k"});
    shop.send(2, {.key = "other"});
    shop.relay.run_once();
    shop.send(3, {.key = "k"});
    shop.send(1, {.key = "k", .id = id});
    shop.relay.run_once();
    CHECK(outbox_status(shop.store).blocked == 2);
    shop.transport.take();

    shop.broken = false;
    const Replayed replayed = shop.letters.replay({});
    CHECK(replayed.ids.size() == 2);
    CHECK(replayed.refused.empty());
    CHECK(shop.letters.list().empty());
    CHECK(shop.relay.run_once() == 3);
    CHECK(shop.transport.take() == Numbers{1, 2, 3});
    CHECK(outbox_status(shop.store).unsent() == 0);
}

TEST_CASE("one letter that cannot be replayed keeps no other from it and is named [B8]") {
    SickShop shop;
    shop.poison = 2;
    const EventId id = shop.send(1, {.key = "k"});
    shop.send(2, {.key = "other"});
    shop.relay.run_once();
    shop.send(9, {.key = "k", .id = id});
    shop.broken = false;
    const Replayed replayed = shop.letters.replay({});
    CHECK(replayed.ids.size() == 1);
    CHECK(replayed.refused == std::vector{id});
    CHECK(shop.relay.run_once() == 1);
    CHECK_THROWS_AS(shop.letters.replay({}), DuplicateError);
    CHECK(shop.letters.list().size() == 1);
    shop.letters.discard({.id = id}, "the newer one is right");
    CHECK(shop.relay.run_once() == 1);
}

TEST_CASE("two letters of one id are replayed as one message [B8]") {
    SickShop shop;
    const EventId id = shop.send(1);
    shop.relay.run_once();
    shop.send(1, {.id = id});
    shop.relay.run_once();
    CHECK(shop.letters.list().size() == 2);
    shop.broken = false;
    shop.transport.take();
    CHECK(shop.letters.replay({.id = id}).ids.size() == 2);
    CHECK(shop.letters.list().empty());
    CHECK(shop.relay.run_once() == 1);
    CHECK(shop.transport.take() == Numbers{1});
}

TEST_CASE("to treat what is not parked is an error and so is no reason [E22]") {
    SickShop shop;
    const EventId id = shop.send(1, {.key = "k"});
    shop.relay.run_once();
    CHECK_THROWS_AS(shop.letters.replay({.key = "nosuch"}), NotFoundError);
    CHECK_THROWS_AS(shop.letters.discard({.topic = "nosuch"}, "why not"), NotFoundError);
    CHECK_THROWS_AS(shop.letters.discard({.id = EventId::generate()}, "why not"), NotFoundError);
    CHECK_THROWS_AS(shop.letters.discard({.id = id}, ""), InvalidError);
    CHECK_THROWS_AS(shop.letters.discard({.id = id}, " \n"), InvalidError);
    CHECK(shop.letters.list().size() == 1);
    // A reason with invalid bytes is cleaned and kept.
    CHECK(shop.letters.discard({.id = id}, "caf\xE9").size() == 1);
}
