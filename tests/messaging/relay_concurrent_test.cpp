#include <atomic>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "daybook/eventstore/lease.hpp"
#include "messaging_fixture.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_SUITE_BEGIN("concurrent");

namespace {

bool drained(const EventStore& store) {
    return eventually([&] { return outbox_status(store).unsent() == 0; });
}

bool gives_leases_back(const EventStore& store) {
    return eventually([&] { return Leases{store}.list().empty(); });
}

/// Parcels `1..per_key` of each key, by several threads, each with its own keys.
void publish_from_threads(EventStore& store, int threads, int keys, int per_key) {
    std::vector<std::jthread> publishers;
    for (int t = 0; t < threads; ++t) {
        publishers.emplace_back([&store, t, keys, per_key] {
            for (int n = 1; n <= per_key; ++n) {
                store.transact([&](Transaction& tx) {
                    for (int k = 0; k < keys; ++k) {
                        tx.publish("post", Parcel{n},
                                   {.key = std::to_string(t) + '-' + std::to_string(k)});
                    }
                });
            }
        });
    }
}

/// The messages that arrived, by key, in order.
class Receiver {
public:
    void note(const std::string& key, std::int64_t n) {
        const std::scoped_lock lock{mutex_};
        by_key_[key].push_back(n);
    }
    /// Each key has `1..per_key`, in this order.
    void check_order(std::size_t keys, std::int64_t per_key) const {
        const std::scoped_lock lock{mutex_};
        CHECK(by_key_.size() == keys);
        Numbers all(static_cast<std::size_t>(per_key));
        std::iota(all.begin(), all.end(), 1);
        for (const auto& [key, numbers] : by_key_) {
            CAPTURE(key);
            CHECK(text_of(numbers) == text_of(all));
        }
    }

private:
    static std::string text_of(const Numbers& numbers) {
        std::string text;
        for (const auto n : numbers) text += std::to_string(n) + ' ';
        return text;
    }

    mutable std::mutex mutex_;
    std::map<std::string, Numbers> by_key_;
};

}  // namespace

TEST_CASE("concurrent: F3 three relays at work send no message twice and keep every key's order") {
    EventStore store = new_store({.durability = Durability::off});
    Receiver receiver;
    struct Handover final : Transport {
        Receiver& to;
        explicit Handover(Receiver& receiver) : to(receiver) {}
        Delivery deliver(const Message& message) override {
            to.note(message.key, message.as<Parcel>().n);
            return {};
        }
    } transport{receiver};
    std::vector<std::unique_ptr<Relay>> relays;
    for (int i = 0; i < 3; ++i) {
        relays.push_back(std::make_unique<Relay>(
            store, transport, RelayOptions{.name = std::to_string(i), .batch_max = 7}));
        relays.back()->start();
    }
    publish_from_threads(store, 2, 5, 40);
    CHECK(drained(store));
    receiver.check_order(10, 40);
}

TEST_CASE("concurrent: F4 retries and restarts do not change the order of a key") {
    EventStore store = new_store({.durability = Durability::off});
    store.transact([](Transaction& tx) {
        tx.sql().exec("CREATE TABLE received(arrival BIGINT PRIMARY KEY, key TEXT, n BIGINT)");
    });
    std::atomic<int> turn{0};
    LocalTransport transport{store};
    transport.consume("post", "receiver", [&](const Message& message, Transaction& tx) {
        if (++turn % 5 == 0) throw std::runtime_error("every fifth time");
        // In the handler's transaction: what is rolled back has not happened.
        tx.sql().exec(
            "INSERT INTO received SELECT COALESCE(MAX(arrival), 0) + 1, ?, ? FROM received",
            message.key, message.as<Parcel>().n);
    });
    const RelayOptions options{.retry = every(1ms).attempts(1'000), .batch_max = 5, .lease = 100ms};
    std::jthread restarts([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
            Relay first{store, transport, options};
            Relay second{store, transport, options};
            first.start();
            second.start();
            std::this_thread::sleep_for(30ms);
        }
    });
    publish_from_threads(store, 2, 4, 25);
    CHECK(drained(store));
    restarts.request_stop();
    restarts.join();
    Receiver receiver;
    store.query([&](Sql& sql) {
        sql.each("SELECT key, n FROM received ORDER BY arrival", [&](const SqlRow& row) {
            receiver.note(std::string(row.text(0)), row.integer(1));
        });
    });
    receiver.check_order(8, 25);
}

TEST_CASE("concurrent: a relay is woken by a commit and by an instant that comes") {
    EventStore store = new_store({.durability = Durability::off});
    ScriptedTransport transport;
    Relay relay{store, transport};
    relay.start();
    relay.start();
    const auto due = store.clock().now() + 200ms;
    store.transact([&](Transaction& tx) {
        tx.publish("post", Parcel{1});
        tx.publish("post", Parcel{2}, {.due_at = due});
    });
    CHECK(drained(store));
    CHECK(store.clock().now() >= due);
    relay.stop();
    relay.stop();
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE(
    "concurrent: E8 a relay that is stopped ends the delivery in hand and hands back the rest") {
    EventStore store = new_store({.durability = Durability::off});
    std::atomic<bool> started{false};
    ScriptedTransport transport{[&](const Message&) {
        started = true;
        std::this_thread::sleep_for(50ms);
        return Delivery{};
    }};
    store.transact([](Transaction& tx) {
        for (int n = 1; n <= 100; ++n) tx.publish("post", Parcel{n}, {.key = "k"});
    });
    Relay relay{store, transport, {.name = "slow"}};
    relay.start();
    while (!started) std::this_thread::sleep_for(1ms);
    relay.stop();
    const auto sent = transport.take().size();
    CHECK(sent < 100);
    const auto waiting = outbox_list(store);
    CHECK(waiting.size() == 100 - sent);
    CHECK(waiting.front().message.attempt == 0);
    CHECK(Leases{store}.list().empty());
}

TEST_CASE("concurrent: a relay that its own transport stops ends and hands back its leases") {
    EventStore store = new_store({.durability = Durability::off});
    std::optional<Relay> relay;
    ScriptedTransport transport{[&](const Message&) {
        relay->stop();
        return Delivery{};
    }};
    store.transact([](Transaction& tx) {
        for (int n = 1; n <= 10; ++n) tx.publish("post", Parcel{n}, {.key = "k"});
    });
    relay.emplace(store, transport, RelayOptions{.name = "relay"});
    relay->start();
    CHECK(eventually([&] { return outbox_status(store).unsent() == 9; }));
    CHECK(gives_leases_back(store));
    CHECK(transport.take() == Numbers{1});
}

TEST_CASE("concurrent: F7 a relay of its own thread waits out a transport that is down") {
    EventStore store = new_store({.durability = Durability::off});
    std::atomic<bool> is_down{true};
    ScriptedTransport transport{[&](const Message&) { return is_down ? down() : Delivery{}; }};
    Relay relay{store, transport, {.name = "relay", .down_pause = 20ms}};
    store.transact([](Transaction& tx) { tx.publish("post", Parcel{1}); });
    relay.start();
    while (relay.last_error().empty()) std::this_thread::sleep_for(1ms);
    is_down = false;
    CHECK(drained(store));
    relay.stop();
    CHECK(relay.last_error().empty());
}

TEST_CASE("concurrent: an idle relay gives its leases back and writes nothing more") {
    EventStore store = new_store({.durability = Durability::off});
    ScriptedTransport transport;
    Relay relay{store, transport, {.name = "relay", .lease = 100ms}};
    relay.start();
    store.transact([](Transaction& tx) { tx.publish("post", Parcel{1}); });
    CHECK(drained(store));
    CHECK(gives_leases_back(store));
    // Readers see a commit shortly before it is counted.
    CHECK(eventually([&] {
        const auto commits = store.commits();
        std::this_thread::sleep_for(300ms);
        return store.commits() == commits;
    }));
}

TEST_CASE("concurrent: a relay that worked longer than its lease lasts gives it back as well") {
    EventStore store = new_store({.durability = Durability::off});
    ScriptedTransport transport{[](const Message&) {
        std::this_thread::sleep_for(80ms);
        return Delivery{};
    }};
    Relay relay{store, transport, {.name = "relay", .lease = 40ms}};
    relay.start();
    store.transact([](Transaction& tx) { tx.publish("post", Parcel{1}); });
    CHECK(drained(store));
    CHECK(gives_leases_back(store));
}

TEST_CASE("concurrent: F9 of two copies of a message at once one has the effect") {
    EventStore store = new_store({.durability = Durability::off});
    std::atomic<int> effects{0};
    LocalTransport transport{store};
    transport.consume("post", "receiver", [&](const Message&, Transaction&) { ++effects; });
    ScriptedTransport capture;
    store.transact([](Transaction& tx) {
        for (int n = 1; n <= 50; ++n) tx.publish("post", Parcel{n});
    });
    Relay{store, capture}.run_once();
    const auto deliver_all = [&] {
        for (const Message& message : capture.seen()) {
            if (transport.deliver(message).status != Delivery::Status::delivered) effects = -1'000;
        }
    };
    {
        const std::jthread one(deliver_all);
        const std::jthread other(deliver_all);
    }
    CHECK(effects == 50);
    CHECK(transport.counts().duplicates == 50);
}

TEST_CASE("concurrent: a bus is used by many threads at once" *
          doctest::test_suite("concurrent no-store")) {
    Bus bus;
    std::atomic<int> received{0};
    const auto steady = bus.subscribe("#", [&](const Message&) { ++received; });
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 200; ++i) {
                    const auto connection = bus.subscribe("post.*", [](const Message&) {});
                    bus.publish("post.sent", Parcel{i});
                }
            });
        }
    }
    CHECK(received == 800);
}

TEST_SUITE_END();
