#include "daybook/messaging/bus.hpp"

#include <stdexcept>

#include "messaging_fixture.hpp"
#include "topic_pattern.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

bool matches(std::string_view pattern, std::string_view topic) {
    return detail::TopicPattern{pattern}.matches(topic);
}

}  // namespace

TEST_SUITE_BEGIN("no-store");

TEST_CASE("a star is one word and a hash is any number of words") {
    CHECK(matches("order.placed", "order.placed"));
    CHECK_FALSE(matches("order.placed", "order.placed.late"));
    CHECK_FALSE(matches("order.placed", "order"));
    CHECK(matches("order.*", "order.placed"));
    CHECK_FALSE(matches("order.*", "order"));
    CHECK_FALSE(matches("order.*", "order.placed.late"));
    CHECK(matches("*.placed", "order.placed"));
    CHECK(matches("#", "order.placed"));
    CHECK(matches("#", ""));
    CHECK(matches("order.#", "order"));
    CHECK(matches("order.#", "order.placed.late"));
    CHECK(matches("#.late", "order.placed.late"));
    CHECK(matches("#.late", "late"));
    CHECK_FALSE(matches("#.late", "later"));
    CHECK(matches("order.#.late.*", "order.a.late.b.late.c"));
    CHECK_FALSE(matches("order.#.late.*", "order.a.late"));
    CHECK(matches("#.#", "order"));
}

TEST_CASE("a pattern that can mean nothing is refused") {
    for (const auto* pattern : {"", ".", "order.", ".order", "order..placed", "ord*", "#s"}) {
        CAPTURE(pattern);
        CHECK_THROWS_AS(detail::TopicPattern{pattern}, InvalidError);
    }
}

TEST_CASE("a bus delivers a message to its subscribers in the order of subscription") {
    const auto received = std::make_shared<std::string>();
    Bus bus;
    const auto second = bus.subscribe("#", [=](const Message&) { *received += 'a'; });
    const auto first = bus.subscribe("post.*", [=](const Message&) { *received += 'b'; });
    const auto none = bus.subscribe("freight.*", [=](const Message&) { *received += 'c'; });
    CHECK(bus.publish("post.sent", Parcel{1}) == 2);
    CHECK(bus.publish("other", Parcel{1}) == 1);
    CHECK(*received == "aba");
}

TEST_CASE("a typed subscriber receives its type only") {
    Bus bus;
    Numbers received;
    const auto parcels =
        bus.subscribe<Parcel>("#", [&](const Parcel& parcel) { received.push_back(parcel.n); });
    bus.publish("post", Parcel{1});
    bus.publish("post", Letter{"hello"});
    CHECK(received == Numbers{1});
}

TEST_CASE("a subscription ends with its handle") {
    Bus bus;
    int received = 0;
    const auto count = [&](const Message&) { ++received; };
    {
        const auto connection = bus.subscribe("#", count);
        CHECK(connection.connected());
        bus.publish("post", Parcel{1});
    }
    bus.publish("post", Parcel{2});
    BusConnection connection = bus.subscribe("#", count);
    BusConnection moved = std::move(connection);
    bus.publish("post", Parcel{3});
    moved.disconnect();
    CHECK_FALSE(moved.connected());
    bus.publish("post", Parcel{4});
    CHECK(received == 2);
}

TEST_CASE("a handle may outlive its bus") {
    auto bus = std::make_unique<Bus>();
    BusConnection connection = bus->subscribe("#", [](const Message&) {});
    bus.reset();
    CHECK_FALSE(connection.connected());
    connection.disconnect();
}

TEST_CASE("a subscriber that throws does not keep the message from the others") {
    Bus bus;
    int received = 0;
    const auto a = bus.subscribe("#", [](const Message&) { throw std::runtime_error("first"); });
    const auto b = bus.subscribe("#", [&](const Message&) { ++received; });
    const auto c = bus.subscribe("#", [](const Message&) { throw std::logic_error("second"); });
    const auto d = bus.subscribe("#", [&](const Message&) { ++received; });
    CHECK_THROWS_WITH_AS(bus.publish("post", Parcel{1}), "first", std::runtime_error);
    CHECK(received == 2);
}

TEST_CASE("a subscriber may publish and subscribe and disconnect while it is called") {
    Bus bus;
    std::vector<BusConnection> connections;
    int received = 0;
    BusConnection once = bus.subscribe("a", [&](const Message&) {
        once.disconnect();
        connections.push_back(bus.subscribe("b", [&](const Message&) { ++received; }));
        bus.publish("b", Parcel{1});
    });
    bus.publish("a", Parcel{1});
    bus.publish("a", Parcel{1});
    CHECK(received == 1);
}

TEST_SUITE_END();

TEST_CASE("the outbox reaches the bus and a message without a subscriber parks") {
    Shop shop;
    Bus bus;
    BusTransport transport{bus};
    RelayOptions options = patient();
    options.unhandled_wait_max = 0ms;
    Relay relay{shop.store, transport, options};
    Numbers received;
    const auto connection = bus.subscribe<Parcel>(
        "post.#", [&](const Parcel& parcel) { received.push_back(parcel.n); });
    shop.send(1, {}, "post.sent");
    shop.send(2, {}, "elsewhere");
    CHECK(relay.run_once() == 2);
    CHECK(received == Numbers{1});
    CHECK(DeadLetters{shop.store}.list().front().message.topic == "elsewhere");
}

TEST_CASE("a message may be without a subscriber where the options accept that") {
    Shop shop;
    Bus bus;
    BusTransport transport{bus, {.unheard = BusTransportOptions::Unheard::accept}};
    Relay relay{shop.store, transport, patient()};
    shop.send(1);
    CHECK(relay.run_once() == 1);
    CHECK(DeadLetters{shop.store}.list().empty());
}

TEST_CASE("a subscriber's exception on the way from the outbox brings the message again") {
    Shop shop;
    Bus bus;
    BusTransport transport{bus};
    Relay relay{shop.store, transport, patient()};
    int calls = 0;
    const auto connection = bus.subscribe("#", [&](const Message&) {
        if (++calls == 1) throw std::runtime_error("once");
    });
    shop.send(1);
    CHECK(relay.run_once() == 0);
    shop.clock.advance(1s);
    CHECK(relay.run_once() == 1);
}
