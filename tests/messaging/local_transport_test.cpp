#include "daybook/messaging/local_transport.hpp"

#include <stdexcept>

#include "messaging_fixture.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

struct ParcelHandled {
    static constexpr EventType type{"parcel.handled", 1};
    std::int64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &ParcelHandled::n); }
};

struct ParcelV2 {
    static constexpr EventType type{"parcel.sent", 2};
    std::int64_t number = 0;
    static constexpr auto fields() { return daybook::fields("number", &ParcelV2::number); }
};

Message parcel(std::int64_t n, std::string topic = "post") {
    Message message;
    message.id = EventId::generate();
    message.topic = std::move(topic);
    message.key = "k";
    message.type = Parcel::type.name;
    message.data = "{\"n\":" + std::to_string(n) + "}";
    return message;
}

void note(const Message& message, Transaction& tx) {
    tx.append("handled-1", any_version, {ParcelHandled{message.as<Parcel>().n}});
}

}  // namespace

TEST_CASE("B1: a message that is delivered twice has its effect once and is counted") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consume("post", "listener", note);
    const Message message = parcel(1);
    for (int i = 0; i < 3; ++i) {
        CHECK(transport.deliver(message).status == Delivery::Status::delivered);
    }
    CHECK(shop.store.version("handled-1") == Version{1});
    CHECK(transport.counts().handled == 1);
    CHECK(transport.counts().duplicates == 2);
}

TEST_CASE("a handler's events carry the message as their cause and its conversation") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consume("post", "listener", note);
    Message message = parcel(1);
    message.trace.correlation = EventId::generate();
    transport.deliver(message);
    for (const EventView event : shop.store.read("handled-1")) {
        CHECK(event.correlation() == message.trace.correlation);
        CHECK(event.causation() == message.id);
    }
}

TEST_CASE("the first message of a conversation gives it its id" * doctest::test_suite("no-store")) {
    const Message message = parcel(1);
    CHECK(message.follow_up().correlation == message.id);
    CHECK(message.follow_up().causation == message.id);
}

TEST_CASE("B17: consumers of one topic have inboxes of their own") {
    Shop shop;
    LocalTransport transport{shop.store};
    int attempts = 0;
    transport.consume("post", "steady", note);
    transport.consume("post", "shaky", [&](const Message&, Transaction&) {
        if (++attempts == 1) throw std::runtime_error("lost my pen");
    });
    const Message message = parcel(1);
    const Delivery first = transport.deliver(message);
    CHECK(first.status == Delivery::Status::failed);
    CHECK(first.error == "lost my pen");
    CHECK(first.receiver == "shaky");
    CHECK(transport.deliver(message).status == Delivery::Status::delivered);
    CHECK(attempts == 2);
    CHECK(shop.store.version("handled-1") == Version{1});
}

TEST_CASE("A11: a handler that throws after it has written leaves no trace") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consume("post", "listener", [](const Message& message, Transaction& tx) {
        note(message, tx);
        tx.publish("post", Parcel{2});
        throw std::runtime_error("too late");
    });
    CHECK(transport.deliver(parcel(1)).status == Delivery::Status::failed);
    CHECK(shop.store.version("handled-1") == Version{0});
    CHECK(shop.waiting() == 0);
    CHECK(inbox_status(shop.store).empty());
}

TEST_CASE("what a handler throws decides whether the message may come again") {
    Shop shop;
    std::function<void()> raise;
    LocalTransport transport{shop.store};
    transport.consume("post", "listener", [&](const Message&, Transaction&) { raise(); });
    const auto status = [&](std::function<void()> thrower) {
        raise = std::move(thrower);
        return transport.deliver(parcel(1)).status;
    };
    CHECK(status([] { throw InvalidError("no"); }) == Delivery::Status::rejected);
    CHECK(status([] { throw CorruptError("no"); }) == Delivery::Status::rejected);
    CHECK(status([] { throw UnavailableError("no"); }) == Delivery::Status::failed);
    CHECK(status([] { throw ConflictError({"a-1", no_stream, Version{1}}); }) ==
          Delivery::Status::failed);
    CHECK(status([] { throw StorageError("disk full"); }) == Delivery::Status::failed);
    CHECK(status([] { throw CancelledError("stop"); }) == Delivery::Status::failed);
    CHECK(status([] { throw UnhandledMessage("no"); }) == Delivery::Status::unhandled);
    CHECK(status([] { throw 7; }) == Delivery::Status::failed);
    CHECK(transport.counts().rejected == 2);
    CHECK(transport.counts().failed == 5);
    CHECK(transport.counts().unhandled == 1);
}

TEST_CASE("F15: a message that is not left to other programs parks at once and can be listed") {
    Shop shop;
    LocalTransport transport{shop.store};
    RelayOptions options = patient();
    options.unhandled_wait_max = 0ms;
    Relay relay{shop.store, transport, options};
    const EventId id = shop.send(1, {}, "nowhere");
    CHECK(relay.run_once() == 1);
    const auto letter = DeadLetters{shop.store}.find(id);
    REQUIRE(letter);
    CHECK(letter->reason == ParkReason::unhandled);
    CHECK(letter->error.find("no consumer for topic 'nowhere'") != std::string::npos);
}

TEST_CASE("F15: a type that a consumer has no handler for is left to others") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consumer("post").on<Letter>([](const Letter&, Transaction&) {});
    CHECK_FALSE(transport.takes(parcel(1)));
    const Delivery delivery = transport.deliver(parcel(1));
    CHECK(delivery.status == Delivery::Status::unhandled);
    CHECK(delivery.error.find("no handler for 'parcel.sent' version 1") != std::string::npos);
}

TEST_CASE("a consumer of all messages of a topic may say which it takes [B9]") {
    Shop shop;
    LocalTransport transport{shop.store};
    int handled = 0;
    transport.consume(
        "post", "listener", [&](const Message&, Transaction&) { ++handled; },
        [](const Message& envelope) { return envelope.schema_version == 1; });
    Message message = parcel(1);
    CHECK(transport.takes(message));
    CHECK(transport.deliver(message).status == Delivery::Status::delivered);
    message.schema_version = 2;
    CHECK_FALSE(transport.takes(message));
    CHECK(transport.deliver(message).status == Delivery::Status::unhandled);
    CHECK(handled == 1);
}

TEST_CASE("F13: a second message of one id with another payload is recorded and not dropped") {
    Shop shop;
    LocalTransport transport{shop.store};
    Numbers handled;
    transport.consumer("post").on<Parcel>(
        [&](const Parcel& parcel, Transaction&) { handled.push_back(parcel.n); });
    Relay relay{shop.store, transport, patient()};
    const EventId id = shop.send(1);
    CHECK(relay.run_once() == 1);
    shop.send(1, {.id = id});
    CHECK(relay.run_once() == 1);
    CHECK(transport.counts().duplicates == 1);
    CHECK(outbox_status(shop.store).parked == 0);

    shop.send(2, {.id = id});
    CHECK(relay.run_once() == 1);
    CHECK(handled == Numbers{1});
    CHECK(transport.counts().duplicates == 1);
    const auto letter = DeadLetters{shop.store}.find(id);
    REQUIRE(letter);
    CHECK(letter->reason == ParkReason::rejected);
    CHECK(letter->error.find("with another payload") != std::string::npos);
}

TEST_CASE("F13: consumers of one name on two topics have inboxes of their own") {
    Shop shop;
    LocalTransport transport{shop.store};
    std::vector<std::string> handled;
    for (const char* topic : {"a", "b"}) {
        transport.consumer("audit", {.topic = topic})
            .on<Parcel>([&](const Parcel&, const Message& message, Transaction&) {
                handled.push_back(message.topic);
            });
    }
    Relay relay{shop.store, transport, patient()};
    const EventId id = shop.send(1, {}, "a");
    CHECK(relay.run_once() == 1);
    shop.send(2, {.id = id}, "b");
    CHECK(relay.run_once() == 1);
    CHECK(handled == std::vector<std::string>{"a", "b"});
    CHECK(outbox_status(shop.store).parked == 0);
}

TEST_CASE("a consumer that picks its types out of a busy topic ignores the others") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consumer("reader", {.topic = "post", .unknown = ConsumerOptions::Unknown::ignore})
        .on<Letter>([](const Letter&, Transaction&) {});
    CHECK(transport.deliver(parcel(1)).status == Delivery::Status::delivered);
    CHECK(inbox_status(shop.store).empty());
}

TEST_CASE("F17: a message without an id is rejected") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consume("post", "listener", note);
    Message message = parcel(1);
    message.id = EventId{};
    CHECK(transport.deliver(message).status == Delivery::Status::rejected);
}

TEST_CASE("a consumer has one handler for each type and version of a message") {
    Shop shop;
    std::vector<std::string> received;
    LocalTransport transport{shop.store};
    transport.consumer("post")
        .on<Parcel>([&](const Parcel& m, const Message& message, Transaction&) {
            received.push_back("parcel " + std::to_string(m.n) + " on " + message.topic);
        })
        .on<ParcelV2>([&](const ParcelV2& m, Transaction&) {
            received.push_back("parcel v2 " + std::to_string(m.number));
        })
        .on<Letter>([&](const Letter& m, Transaction&) { received.push_back("letter " + m.text); });
    Relay relay{shop.store, transport, patient()};
    shop.store.transact([](Transaction& tx) {
        tx.publish("post", Parcel{1});
        tx.publish("post", ParcelV2{2});
        tx.publish("post", Letter{"hello"});
    });
    CHECK(relay.run_once() == 3);
    CHECK(received == std::vector<std::string>{"parcel 1 on post", "parcel v2 2", "letter hello"});
}

TEST_CASE("a consumer is registered once and a type has one handler") {
    Shop shop;
    LocalTransport transport{shop.store};
    Consumer consumer = transport.consumer("post");
    const auto ignore = [](const Letter&, Transaction&) {};
    consumer.on<Letter>(ignore);
    CHECK_THROWS_AS(consumer.on<Letter>(ignore), InvalidError);
    CHECK_THROWS_AS(transport.consumer("post"), InvalidError);
    CHECK_THROWS_AS(transport.consume("post", "post", note), InvalidError);
    CHECK_THROWS_AS(transport.consume("", "post", note), InvalidError);
    CHECK_THROWS_AS(transport.consume("post", "other", {}), InvalidError);
}

TEST_CASE("B11: a message whose data does not fit is rejected") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consumer("post").on<Parcel>([](const Parcel&, Transaction&) {});
    Message message = parcel(1);
    message.data = R"({"n":"many"})";
    CHECK(transport.deliver(message).status == Delivery::Status::rejected);
}

TEST_CASE("a message is not taken for another type or version of its struct" *
          doctest::test_suite("no-store")) {
    const Message message = parcel(1);
    CHECK(message.is<Parcel>());
    CHECK_FALSE(message.is<ParcelV2>());
    CHECK_FALSE(message.is<Letter>());
    CHECK_THROWS_AS(message.as<Letter>(), InvalidError);
    CHECK_THROWS_AS(message.as<ParcelV2>(), InvalidError);
}

TEST_CASE("a reply goes where it was requested with the key and headers of the request") {
    Shop shop;
    LocalTransport transport{shop.store};
    std::optional<Message> received;
    transport.consumer("post").on<Parcel>(
        [](const Parcel&, const Message& message, Transaction& tx) {
            CHECK(reply(tx, message, Letter{"thanks"}));
        });
    transport.consume("replies", "requester",
                      [&](const Message& message, Transaction&) { received = message; });
    Relay relay{shop.store, transport, patient()};
    const EventId request =
        shop.send(1, {.key = "k", .reply_to = "replies", .headers = R"({"step": 2})"});
    CHECK(relay.run_once() == 1);
    CHECK(relay.run_once() == 1);
    REQUIRE(received);
    CHECK(received->as<Letter>().text == "thanks");
    CHECK(received->key == "k");
    CHECK(received->headers == R"({"step": 2})");
    CHECK(received->trace.causation == request);
    CHECK(received->trace.correlation == request);
}

TEST_CASE("no reply is sent where none was requested") {
    Shop shop;
    LocalTransport transport{shop.store};
    transport.consumer("post").on<Parcel>(
        [](const Parcel&, const Message& message, Transaction& tx) {
            CHECK_FALSE(reply(tx, message, Letter{"thanks"}));
        });
    transport.deliver(parcel(1));
    CHECK(shop.waiting() == 0);
}
