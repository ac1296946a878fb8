#include "daybook/messaging/outbox.hpp"

#include "daybook/eventstore/message_tables.hpp"
#include "messaging_fixture.hpp"
#include "outbox_batch.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("the outbox says how much of it waits for what") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) {
        const auto n = message.as<Parcel>().n;
        if (n == 1) return rejected();
        return n == 3 ? failed("busy") : Delivery{};
    }};
    Relay relay{shop.store, transport, patient()};
    CHECK(outbox_status(shop.store).unsent() == 0);
    CHECK_FALSE(outbox_status(shop.store).oldest);
    CHECK_FALSE(outbox_status(shop.store).newest);
    shop.send(1, {.key = "parked"});
    shop.send(2, {.key = "parked"});
    shop.send(3);
    shop.send(4, {.due_at = noon + 1h});
    relay.run_once();
    shop.clock.advance(100ms);
    shop.send(5);

    const OutboxStatus status = outbox_status(shop.store);
    CHECK(status.waiting == 1);
    CHECK(status.delayed == 1);
    CHECK(status.retrying == 1);
    CHECK(status.blocked == 1);
    CHECK(status.parked == 1);
    CHECK(status.unsent() == 5);
    CHECK(status.oldest == noon);
    CHECK(status.newest == noon + 100ms);

    const auto waiting = outbox_list(shop.store);
    REQUIRE(waiting.size() == 4);
    CHECK(waiting[0].waits_for == OutboxWait::blocked);
    CHECK(waiting[1].waits_for == OutboxWait::retry);
    CHECK(waiting[1].until == noon + 1s);
    CHECK(waiting[1].message.attempt == 1);
    CHECK(waiting[1].last_error == "busy");
    CHECK(waiting[2].waits_for == OutboxWait::due);
    CHECK(waiting[2].until == noon + 1h);
    CHECK(waiting[3].waits_for == OutboxWait::turn);
    CHECK_FALSE(waiting[3].until);

    shop.clock.set(noon + 1s);
    relay.run_once();
    CHECK(outbox_status(shop.store).newest == noon + 1s);
}

TEST_CASE("the outbox can be looked through by topic and key") {
    Shop shop;
    shop.send(1, {.key = "a"}, "post");
    shop.send(2, {.key = "b"}, "post");
    shop.send(3, {.key = "a"}, "freight");
    CHECK(outbox_list(shop.store, {.topic = "post"}).size() == 2);
    CHECK(outbox_list(shop.store, {.key = "a"}).size() == 2);
    CHECK(outbox_list(shop.store, {.topic = "freight", .key = "a"}).size() == 1);
    CHECK(outbox_list(shop.store, {.limit = 1}).size() == 1);
}

TEST_CASE("a message with an id that waits already is refused") {
    Shop shop;
    const EventId id = shop.send(1);
    CHECK_THROWS_AS(shop.send(2, {.id = id}), DuplicateError);
    CHECK(shop.waiting() == 1);
}

namespace {

std::vector<detail::OutboxRow> rows(std::initializer_list<int> seconds) {
    std::vector<detail::OutboxRow> made;
    for (const int second : seconds)
        made.emplace_back().ready_since = noon + std::chrono::seconds{second};
    return made;
}

std::vector<std::int64_t> merged(std::initializer_list<int> ready, std::initializer_list<int> due,
                                 std::size_t rows_max) {
    std::vector<std::int64_t> instants;
    for (const auto& row : detail::merge_ready_and_due(rows(ready), rows(due), rows_max).rows) {
        instants.push_back((row.ready_since - noon) / 1s);
    }
    return instants;
}

}  // namespace

TEST_CASE("a batch takes the older first and leaves each kind its half" *
          doctest::test_suite("no-store")) {
    CHECK(merged({}, {}, 4).empty());
    CHECK(merged({1, 3}, {2, 4}, 4) == Numbers{1, 2, 3, 4});
    CHECK(merged({5, 6, 7, 8}, {1, 2, 3, 4}, 4) == Numbers{1, 2, 5, 6});
    CHECK(merged({1, 2, 3, 4}, {5}, 4) == Numbers{1, 2, 3, 5});
    CHECK(merged({2}, {1}, 1) == Numbers{1});
    CHECK(merged({1}, {2}, 1) == Numbers{1});
    CHECK(merged({9, 1}, {2}, 3) == Numbers{2, 9, 1});
}
