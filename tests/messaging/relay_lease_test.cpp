#include <bit>

#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "messaging_fixture.hpp"
#include "partition_leases.hpp"

// Several relays of one store, on one thread, so that the test chooses the order of their steps.

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr detail::PartitionSet all = 0xFFFF;

int count(detail::PartitionSet set) { return std::popcount(set); }

RelayOptions named(std::string name, std::chrono::milliseconds lease = 1h) {
    RelayOptions options = patient();
    options.name = std::move(name);
    options.lease = lease;
    return options;
}

}  // namespace

TEST_CASE("F3: what one relay holds the other does not send") {
    Shop shop;
    ScriptedTransport transport;
    Relay first{shop.store, transport, named("first")};
    Relay second{shop.store, transport, named("second")};
    shop.send(1);
    CHECK(first.run_once() == 1);
    shop.send(2);
    CHECK(second.run_once() == 0);
    CHECK(transport.take() == Numbers{1});
    CHECK(first.run_once() == 1);
    CHECK(transport.take() == Numbers{2});
}

TEST_CASE("F3: a relay in the middle of a batch keeps what it holds") {
    Shop shop;
    ScriptedTransport other;
    Relay second{shop.store, other, named("second")};
    ScriptedTransport transport{[&](const Message&) {
        CHECK(second.run_once() == 0);
        return Delivery{};
    }};
    Relay first{shop.store, transport, named("first")};
    for (int n = 1; n <= 5; ++n) shop.send(n);
    CHECK(first.run_once() == 5);
    CHECK(other.take().empty());
}

TEST_CASE("E2: a relay that lost its lease in a delivery records nothing") {
    Shop shop;
    ScriptedTransport other{[](const Message&) { return failed("noted by the second"); }};
    Relay second{shop.store, other, named("second")};
    ScriptedTransport transport{[&](const Message&) {
        // Another relay, which takes this one for dead, acquires all its leases.
        shop.store.transact([](Transaction& tx) {
            detail::store_sql(tx).exec("UPDATE daybook_lease SET until = 0");
        });
        CHECK(second.run_once() == 0);
        return Delivery{};
    }};
    Relay first{shop.store, transport, named("first")};
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    CHECK(first.run_once() == 0);
    CHECK(other.take() == Numbers{1});
    const auto waiting = outbox_list(shop.store);
    REQUIRE(waiting.size() == 2);
    CHECK(waiting.front().message.attempt == 1);
    CHECK(waiting.front().last_error == "noted by the second");
}

TEST_CASE("E2: a relay that lost one partition in a batch removes only what it still holds") {
    Shop shop;
    std::size_t deliveries = 0;
    ScriptedTransport transport{[&](const Message&) {
        if (++deliveries == 50) {
            shop.store.transact([](Transaction& tx) {
                detail::store_sql(tx).exec(
                    "UPDATE daybook_lease SET owner = 'thief', token = token + 1"
                    " WHERE name = 'outbox/3'");
            });
        }
        return Delivery{};
    }};
    Relay relay{shop.store, transport, named("relay")};
    for (int n = 1; n <= 90; ++n) shop.send(n, {.key = std::to_string(n)});
    const std::size_t ended = relay.run_once();
    CHECK(deliveries == 90);
    std::optional<std::int64_t> stolen;
    shop.store.query([&](Sql& db) {
        stolen = db.integer("SELECT COUNT(*) FROM daybook_outbox WHERE partition = 3");
    });
    REQUIRE(stolen.value_or(0) > 0);
    CHECK(shop.waiting() == static_cast<std::size_t>(*stolen));
    CHECK(ended == 90 - static_cast<std::size_t>(*stolen));
}

TEST_CASE("a relay at work shares with one that comes after the batch in hand") {
    Shop shop;
    ScriptedTransport other;
    Relay second{shop.store, other, named("second")};
    std::size_t turns = 0;
    ScriptedTransport transport{[&](const Message&) {
        if (++turns <= 2) second.run_once();
        return Delivery{};
    }};
    RelayOptions options = named("first");
    options.batch_max = 1;
    Relay first{shop.store, transport, options};
    for (int n = 1; n <= 100; ++n) shop.send(n, {.key = std::to_string(n)});
    first.run_once();
    CHECK(shop.waiting() == 0);
    CHECK(transport.seen().size() > 20);
    CHECK(other.seen().size() > 20);
}

TEST_CASE("a relay that lacks its share sees when there is more to take") {
    Shop shop;
    detail::PartitionLeases first{shop.store, "first", 1h};
    detail::PartitionLeases second{shop.store, "second", 1h};
    detail::PartitionLeases third{shop.store, "third", 1h};
    first.refresh();
    CHECK_FALSE(first.check_for_free_partitions());
    second.refresh();
    first.refresh();
    third.refresh();
    second.refresh();
    CHECK(count(second.held()) == 2);
    CHECK_FALSE(second.is_stale());
    CHECK_FALSE(second.check_for_free_partitions());
    first.refresh();
    CHECK(second.check_for_free_partitions());
    CHECK(second.is_stale());
    second.refresh();
    CHECK(count(second.held()) == 4);
    CHECK_FALSE(second.check_for_free_partitions());
}

TEST_CASE("a relay that was stopped is replaced at once") {
    Shop shop;
    ScriptedTransport transport;
    {
        Relay first{shop.store, transport, named("first")};
        shop.send(1);
        CHECK(first.run_once() == 1);
    }
    CHECK(Leases{shop.store}.list().empty());
    Relay second{shop.store, transport, named("second")};
    shop.send(2);
    CHECK(second.run_once() == 1);
}

TEST_CASE("relays that are at work together share the partitions") {
    Shop shop;
    detail::PartitionLeases first{shop.store, "first", 1h};
    detail::PartitionLeases second{shop.store, "second", 1h};
    detail::PartitionLeases third{shop.store, "third", 1h};
    first.refresh();
    CHECK(first.held() == all);
    second.refresh();
    CHECK(second.held() == 0);
    first.refresh();
    CHECK(count(first.held()) == 8);
    second.refresh();
    CHECK(second.held() == (all & ~first.held()));
    for (int round = 0; round < 2; ++round) {
        for (auto* leases : {&third, &first, &second}) leases->refresh();
    }
    CHECK(count(first.held()) <= 6);
    CHECK(count(second.held()) <= 6);
    CHECK((first.held() | second.held() | third.held()) == all);
    CHECK(count(third.held()) >= 4);
    third.release();
    for (auto* leases : {&first, &second}) leases->refresh();
    CHECK(count(first.held()) == 8);
    CHECK((first.held() | second.held()) == all);
}

TEST_CASE("leases that a relay has released are not taken for those of a crash") {
    Shop shop;
    detail::PartitionLeases first{shop.store, "first", 1h};
    CHECK(first.refresh() == 0);
    first.release();
    detail::PartitionLeases second{shop.store, "second", 1h};
    CHECK(second.refresh() == 0);
    CHECK(second.held() == all);
}

TEST_CASE("E7: a relay started again under its name works at once and fences its former life") {
    Shop shop;
    detail::PartitionLeases former{shop.store, "relay", 1h};
    former.refresh();
    detail::PartitionLeases present{shop.store, "relay", 1h};
    CHECK(present.refresh() == all);
    CHECK(present.held() == all);
    shop.store.transact([&](Transaction& tx) {
        CHECK(former.held(tx) == 0);
        CHECK(present.held(tx) == all);
    });
}

TEST_CASE("a relay that finds its share held by another one writes nothing") {
    Shop shop;
    ScriptedTransport transport;
    Relay first{shop.store, transport, named("first")};
    Relay second{shop.store, transport, named("second")};
    shop.send(1);
    first.run_once();
    shop.send(2);
    second.run_once();
    const auto commits = shop.store.commits();
    for (int i = 0; i < 10; ++i) second.run_once();
    CHECK(shop.store.commits() == commits);
}

TEST_CASE("a relay with nothing to do takes no lease and writes nothing") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, named("relay")};
    shop.send(1, {.due_at = noon + 1h});
    const auto commits = shop.store.commits();
    for (int i = 0; i < 10; ++i) CHECK(relay.run_once() == 0);
    CHECK(shop.store.commits() == commits);
    CHECK(Leases{shop.store}.list().empty());
}

TEST_CASE("a batch costs one commit") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, named("relay")};
    shop.send(0);
    relay.run_once();
    for (int n = 1; n <= 50; ++n) shop.send(n);
    const auto commits = shop.store.commits();
    CHECK(relay.run_once() == 50);
    CHECK(shop.store.commits() == commits + 1);
}
