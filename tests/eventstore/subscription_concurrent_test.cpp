#include <map>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/eventstore/eventstore.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;

namespace {

constexpr auto soon = daybook::test::patience();

void append_to(EventStore store, const std::string& stream, int events) {
    for (int i = 0; i < events; ++i) {
        store.append(stream, any_version, {NewEvent{EventType::checked("thing.done", 1), "{}"}});
    }
}

/// Written by the handler's thread, read when the subscription has been stopped.
struct Order {
    std::vector<std::uint64_t> positions;
    std::map<std::string, std::uint64_t, std::less<>> versions;
    bool in_order = true;

    void add(EventView event) {
        positions.push_back(event.position().value());
        in_order = in_order && event.position().value() == positions.size();
        auto& version = versions[std::string(event.stream())];
        in_order = in_order && event.version().value() == ++version;
    }
};

}  // namespace

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: a subscription misses and repeats nothing while threads append") {
    constexpr int threads = 4;
    constexpr int events = 100;
    auto store = test::new_store();
    append_to(store, "thing-early", events);
    Order order;
    auto subscription = subscribe(store, {}, [&](EventView event) { order.add(event); });
    {
        std::vector<std::jthread> writers;
        for (int i = 0; i < threads; ++i) {
            writers.emplace_back(append_to, store, "thing-" + std::to_string(i), events);
        }
    }
    CHECK(subscription.wait_for((threads + 1) * events, soon));
    subscription.stop();
    CHECK(order.positions.size() == (threads + 1) * events);
    CHECK(order.in_order);
}

TEST_CASE("concurrent: a subscription is woken by another handle on the same store") {
    const test::StoreLocation location;
    const auto reader = location.open();
    const auto writer = location.open();
    Order order;
    auto subscription = subscribe(reader, {}, [&](EventView event) { order.add(event); });
    while (subscription.state() != SubscriptionState::live) std::this_thread::yield();
    // Without a notification the subscription polls once a second. An event that arrives much
    // faster was notified, and at least one of them must be.
    CHECK(test::eventually([&] {
        std::this_thread::sleep_for(50ms);
        const auto begin = std::chrono::steady_clock::now();
        append_to(writer, "thing-1", 1);
        REQUIRE(subscription.wait_for(writer.head(), soon));
        return std::chrono::steady_clock::now() - begin < 500ms;
    }));
    std::jthread appending{append_to, writer, "thing-1", 50};
    append_to(reader, "thing-2", 50);
    appending.join();
    CHECK(subscription.wait_for(writer.head(), soon));
    subscription.stop();
    CHECK(order.in_order);
}

TEST_CASE("concurrent: several subscriptions each see everything and are stopped from anywhere") {
    auto store = test::new_store();
    std::vector<Order> orders(3);
    std::vector<Subscription> subscriptions;
    for (Order& order : orders) {
        subscriptions.push_back(
            subscribe(store, {}, [&order](EventView event) { order.add(event); }));
    }
    append_to(store, "thing-1", 50);
    for (auto& subscription : subscriptions) CHECK(subscription.wait_for(50, soon));
    {
        std::vector<std::jthread> stoppers;
        for (int i = 0; i < 3; ++i) {
            stoppers.emplace_back([&] {
                for (auto& subscription : subscriptions) subscription.stop();
            });
        }
    }
    for (const Order& order : orders) {
        CHECK(order.positions.size() == 50);
        CHECK(order.in_order);
    }
}

TEST_SUITE_END();
