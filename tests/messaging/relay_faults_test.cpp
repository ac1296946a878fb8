#include <atomic>
#include <stdexcept>

#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "messaging_fixture.hpp"
#include "names.hpp"
#include "outbox_batch.hpp"
#include "patience.hpp"
#include "store_location.hpp"

// A failure stops only the message concerned, and no failure ends the relay's thread.

using namespace daybook;
using namespace daybook::test;

namespace {

template <class Failure>
void check_that_others_go_on() {
    Shop shop;
    LocalTransport transport{shop.store};
    int tried = 0;
    int mailed = 0;
    transport.consumer("archive").on<Parcel>([&](const Parcel&, Transaction&) {
        ++tried;
        throw Failure{"the archive's disk is full"};
    });
    transport.consumer("mail").on<Parcel>([&](const Parcel&, Transaction&) { ++mailed; });
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {.key = "a"}, "archive");
    for (int n = 1; n <= 5; ++n) shop.send(n, {.key = "m"}, "mail");
    for (int turn = 0; turn < 4; ++turn) {
        relay.run_once();
        shop.clock.advance(1s);
    }
    CHECK(tried == 3);
    CHECK(mailed == 5);
    CHECK(outbox_status(shop.store).parked == 1);
}

}  // namespace

TEST_CASE("a handler whose own disk or connection fails stops nobody else [B8]") {
    check_that_others_go_on<StorageError>();
    check_that_others_go_on<UnavailableError>();
    check_that_others_go_on<CancelledError>();
    check_that_others_go_on<InDoubtError>();
}

TEST_CASE("a transport's exception is the fault of one message whatever its kind [B8]") {
    Shop shop;
    ScriptedTransport transport{[](const Message& message) -> Delivery {
        if (message.topic == "bad") throw StorageError("no room");
        return {};
    }};
    Relay relay{shop.store, transport, patient()};
    shop.send(1, {}, "bad");
    shop.send(2, {}, "good");
    CHECK(relay.run_once() == 1);
    CHECK(relay.last_error().empty());
    CHECK(outbox_list(shop.store).front().message.attempt == 1);
}

TEST_CASE("the text of a failure is recorded whatever its bytes [B8]") {
    Shop shop;
    const std::string bytes{"caf\xE9 \0 is closed", 16};
    ScriptedTransport transport{[&](const Message& message) -> Delivery {
        const auto n = message.as<Parcel>().n;
        if (n == 1) throw std::runtime_error("caf\xE9 is closed");
        if (n == 2) return {Delivery::Status::rejected, bytes, bytes};
        if (n == 3) return {Delivery::Status::unhandled, bytes, bytes};
        if (n == 4) return {Delivery::Status::rejected, std::string(1'000'000, '\xFF'), {}};
        return {};
    }};
    Relay relay{shop.store, transport, patient()};
    for (int n = 1; n <= 5; ++n) shop.send(n);
    CHECK(relay.run_once() == 3);
    const auto waiting = outbox_list(shop.store);
    REQUIRE(waiting.size() == 2);
    CHECK(waiting[0].last_error == "caf\uFFFD is closed");
    CHECK(waiting[1].last_error == "caf\uFFFD \uFFFD is closed");
    const auto letters = DeadLetters{shop.store}.list();
    REQUIRE(letters.size() == 2);
    CHECK(letters[0].error == "caf\uFFFD \uFFFD is closed");
    CHECK(letters[0].receiver == "caf\uFFFD \uFFFD is closed");
    CHECK(letters[1].error.size() <= 4'096);

    transport.set_script([&](const Message&) { return down(bytes); });
    shop.send(6);
    CHECK(relay.run_once() == 0);
    CHECK(relay.last_error() == "caf\uFFFD \uFFFD is closed");
}

TEST_CASE("a store that is busy before the handler is called costs the message no attempt [B8]" *
          doctest::test_suite("sqlite")) {
    const StoreLocation location;
    EventStore other = location.open();
    EventStore store = location.open({.busy_wait_max = 20ms});
    LocalTransport transport{store};
    transport.consume("post", "listener", [](const Message&, Transaction&) {});
    Message message;
    message.id = EventId::generate();
    message.topic = "post";
    message.data = "{}";
    Delivery::Status status{};
    other.transact([&](Transaction& tx) {
        tx.append("a-1", any_version, {Parcel{1}});
        status = transport.deliver(message).status;
    });
    CHECK(status == Delivery::Status::down);
    CHECK(transport.deliver(message).status == Delivery::Status::delivered);
}

TEST_CASE("names that an engine could not store are refused by both alike [C14]") {
    Shop shop;
    LocalTransport transport{shop.store};
    const std::string zero{"a\0b", 3};
    const auto ignore = [](const Message&, Transaction&) {};
    for (const std::string& bad : {std::string("caf\xE9"), zero}) {
        CHECK_THROWS_AS(shop.send(1, {}, bad), InvalidError);
        CHECK_THROWS_AS(shop.send(1, {.key = bad}), InvalidError);
        CHECK_THROWS_AS(shop.send(1, {.reply_to = bad}), InvalidError);
        CHECK_THROWS_AS(transport.consumer(bad), InvalidError);
        CHECK_THROWS_AS(transport.consume("post", bad, ignore), InvalidError);
        CHECK_THROWS_AS(outbox_list(shop.store, {.topic = bad}), InvalidError);
        CHECK_THROWS_AS(outbox_list(shop.store, {.key = bad}), InvalidError);
        DeadLetters letters{shop.store};
        CHECK_THROWS_AS(letters.list({.key = bad}), InvalidError);
        CHECK_THROWS_AS(letters.replay({.topic = bad}), InvalidError);
        Leases leases{shop.store};
        CHECK_THROWS_AS(leases.try_acquire(bad, "me", 1s), InvalidError);
        CHECK_THROWS_AS(leases.try_acquire("work", bad, 1s), InvalidError);
        shop.store.transact([&](Transaction& tx) {
            CHECK_THROWS_AS(tx.mark_handled(bad, EventId::generate()), InvalidError);
        });
    }
    CHECK(shop.waiting() == 0);
    shop.send(1, {.key = "žluťoučký kůň"}, "pošta");
    CHECK(outbox_list(shop.store, {.topic = "pošta"}).size() == 1);
}

TEST_CASE("a batch of large messages holds no more than its share of them in memory [D16]") {
    Shop shop;
    const std::string large(100'000, 'x');
    shop.store.transact([&](Transaction& tx) {
        for (int n = 0; n < 30; ++n) {
            tx.publish("post", Letter{n % 3 == 0 ? large : "small"}, {.key = std::to_string(n)});
        }
    });
    detail::BatchRequest request{
        .set = detail::all_partitions, .newest = 1'000, .rows_max = 30, .bytes_max = 300'000};
    const auto batch = detail::load_batch(shop.store, request);
    REQUIRE(batch.rows.size() == 30);
    std::size_t bytes = 0;
    std::size_t without = 0;
    for (const auto& row : batch.rows) {
        bytes += row.message.data.size();
        if (!row.has_data) ++without;
    }
    CHECK(bytes <= request.bytes_max);
    CHECK(without == 10);

    std::size_t arrived = 0;
    ScriptedTransport transport{[&](const Message& message) {
        arrived += message.as<Letter>().text.size();
        return Delivery{};
    }};
    RelayOptions options = patient();
    options.batch_bytes_max = 300'000;
    Relay relay{shop.store, transport, options};
    CHECK(relay.run_once() == 30);
    CHECK(arrived == 10 * large.size() + 20 * 5);
}

TEST_CASE("a listing shows every message and need not fetch what they carry [D16]") {
    Shop shop;
    const std::string large(100'000, 'x');
    shop.store.transact([&](Transaction& tx) {
        for (int n = 0; n < 250; ++n) tx.publish("post", Letter{n % 100 == 7 ? large : "small"});
    });
    std::size_t bytes = 0;
    std::size_t seen = 0;
    outbox_each(shop.store, {}, [&](const WaitingMessage& waiting) {
        ++seen;
        bytes += waiting.message.as<Letter>().text.size();
    });
    CHECK(seen == 250);
    CHECK(bytes == 3 * large.size() + 247 * 5);
    CHECK(outbox_list(shop.store, {.limit = 130}).size() == 130);
    for (const auto& waiting : outbox_list(shop.store, {.with_data = false})) {
        CHECK(waiting.message.data.empty());
    }

    ScriptedTransport transport{[](const Message&) { return rejected(); }};
    Relay relay{shop.store, transport, patient()};
    relay.run_once();
    bytes = seen = 0;
    const DeadLetters letters{shop.store};
    letters.each({}, [&](const DeadLetter& letter) {
        ++seen;
        bytes += letter.message.as<Letter>().text.size();
    });
    CHECK(seen == 250);
    CHECK(bytes == 3 * large.size() + 247 * 5);
    CHECK(letters.list({.limit = 3, .with_data = false}).front().message.data.empty());
}

TEST_CASE("headers are limited as payloads are [D16]") {
    Shop shop;
    const std::string headers = R"({"h":")" + std::string(70'000, 'x') + "\"}";
    CHECK_THROWS_AS(shop.send(1, {.headers = headers}), InvalidError);
}

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("a relay waits while its table is gone and goes on when it is back [B7]") {
    const StoreLocation location;
    EventStore operators = location.open();
    // A log callback that throws does not end the thread either.
    std::atomic<int> lines{0};
    EventStore store = location.open({.log = [&](LogLevel, std::string_view) {
        ++lines;
        throw std::runtime_error("the log is full");
    }});
    std::atomic<int> arrived{0};
    ScriptedTransport transport{[&](const Message&) {
        ++arrived;
        return Delivery{};
    }};
    Relay relay{store, transport, {.name = "relay"}};
    relay.start();
    operators.transact([](Transaction& tx) { tx.publish("post", Parcel{1}); });
    // Also recorded, otherwise it would arrive again after the outage.
    CHECK(eventually([&] { return arrived == 1 && outbox_status(operators).unsent() == 0; }));

    operators.transact([](Transaction& tx) {
        detail::store_sql(tx).exec("ALTER TABLE daybook_outbox RENAME TO daybook_outbox_away");
    });
    CHECK(eventually([&] { return !relay.last_error().empty() && lines > 0; }));
    operators.transact([](Transaction& tx) {
        detail::store_sql(tx).exec("ALTER TABLE daybook_outbox_away RENAME TO daybook_outbox");
    });
    operators.transact([](Transaction& tx) { tx.publish("post", Parcel{2}); });
    CHECK(eventually([&] { return arrived == 2 && relay.last_error().empty(); }));
    relay.stop();
}

TEST_SUITE_END();
