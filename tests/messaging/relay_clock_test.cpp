#include "daybook/eventstore/lease.hpp"
#include "messaging_fixture.hpp"

// Waits while the clock is set, and waits without end.

using namespace daybook;
using namespace daybook::test;

TEST_CASE("a retry is not waited for longer than promised when the clock is set back [B10]") {
    Shop shop;
    bool broken = true;
    ScriptedTransport transport{[&](const Message&) { return broken ? failed() : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "k"});
    shop.send(2, {.key = "k"});
    CHECK(relay.run_once() == 0);
    broken = false;
    shop.clock.set(noon - 1h);
    CHECK(relay.run_once() == 0);
    CHECK(relay.next_due() == noon - 1h + 1s);
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 2);
    CHECK(transport.take() == Numbers{1, 1, 2});
}

TEST_CASE("a replay is not held up when the clock is set back [B10]") {
    Shop shop;
    bool broken = true;
    ScriptedTransport transport{[&](const Message&) { return broken ? rejected() : Delivery{}; }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    relay.run_once();
    broken = false;
    DeadLetters{shop.store}.replay({});
    shop.clock.set(noon - 24h);
    CHECK(relay.run_once() == 1);
}

TEST_CASE("a delayed message keeps its instant when the clock is set back [B10]") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.due_at = noon + 1min});
    shop.clock.set(noon - 1h);
    CHECK(relay.run_once() == 0);
    CHECK(relay.next_due() == noon + 1min);
    shop.clock.set(noon + 1min);
    CHECK(relay.run_once() == 1);
}

TEST_CASE("waits without end neither overflow nor end at once [B10]") {
    Shop shop;
    ScriptedTransport transport{[](const Message&) { return failed(); }};
    RelayOptions options = patient();
    options.retry = every(std::chrono::milliseconds::max()).attempts(3);
    options.down_pause = std::chrono::milliseconds::max();
    options.unhandled_wait_max = std::chrono::milliseconds::max();
    Relay relay{shop.store, transport, options};
    shop.send(1, {.key = "k"});
    relay.run_once();
    CHECK(relay.run_once() == 0);
    CHECK(transport.seen().size() == 1);
    const auto failed_once = outbox_list(shop.store);
    REQUIRE(failed_once.size() == 1);
    CHECK(failed_once.front().waits_for == OutboxWait::retry);
    CHECK(failed_once.front().until > noon + 24h * 365);

    transport.set_script(
        [](const Message&) -> Delivery { return {Delivery::Status::unhandled, "unknown", {}}; });
    shop.send(2, {.key = "other"});
    relay.run_once();
    CHECK(outbox_status(shop.store).unhandled == 1);
    CHECK(outbox_list(shop.store).back().until > noon + 24h * 365);

    transport.set_script([](const Message&) { return down(); });
    shop.send(3);
    relay.run_once();
    CHECK(relay.run_once() == 0);
    CHECK(relay.next_due() > noon + 24h * 365);
}

TEST_CASE("a wait that makes no sense is refused [B10]") {
    Shop shop;
    ScriptedTransport transport;
    const auto refuses = [&](auto change) {
        RelayOptions options = patient();
        change(options);
        CHECK_THROWS_AS((Relay{shop.store, transport, options}), InvalidError);
    };
    using std::chrono::milliseconds;
    refuses([](RelayOptions& options) { options.lease = milliseconds::max(); });
    refuses([](RelayOptions& options) { options.lease = 0ms; });
    refuses([](RelayOptions& options) { options.down_pause = milliseconds::min(); });
    refuses([](RelayOptions& options) { options.unhandled_wait_max = -1ms; });
    refuses([](RelayOptions& options) { options.batch_max = static_cast<std::size_t>(-1); });
    refuses([](RelayOptions& options) { options.name = "caf\xE9"; });
    refuses([](RelayOptions& options) { options.name = std::string("a\0b", 3); });
    CHECK_THROWS_AS(shop.send(1, {.due_at = Timestamp::max()}), InvalidError);
    CHECK(shop.waiting() == 0);
}

TEST_CASE("a message that was due long ago is delivered at once [B10]") {
    Shop shop;
    ScriptedTransport transport;
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.due_at = Timestamp::min()});
    CHECK(relay.run_once() == 1);
    CHECK(transport.seen().front().due_at == noon);
}

TEST_CASE("a lease of a dead owner ends after its duration although the clock was set back [B10]") {
    Shop shop;
    Leases leases{shop.store, shop.clock};
    const auto dead = leases.try_acquire("work", "dead", 5s);
    REQUIRE(dead);
    shop.clock.set(noon - 1h);
    CHECK_FALSE(leases.try_acquire("work", "next", 5s));
    shop.clock.advance(4s);
    CHECK_FALSE(leases.try_acquire("work", "next", 5s));
    shop.clock.advance(1s);
    const auto next = leases.try_acquire("work", "next", 5s);
    REQUIRE(next);
    CHECK(next->token == dead->token + 1);
}

TEST_CASE("a holder that is alive keeps its lease when the clock is set back [B10]") {
    Shop shop;
    Leases leases{shop.store, shop.clock};
    auto held = leases.try_acquire("work", "alive", 5s);
    REQUIRE(held);
    shop.clock.set(noon - 1h);
    const std::vector<std::string> names{"work", "more"};
    shop.store.transact([&](Transaction& tx) {
        CHECK(leases.try_acquire(tx, names, "next", 5s).size() == 1);
        CHECK(leases.held(tx, *held));
    });
    CHECK(leases.renew(*held, 5s));
    shop.clock.advance(4s);
    CHECK_FALSE(leases.try_acquire("work", "next", 5s));
}
