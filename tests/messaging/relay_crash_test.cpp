#include <csignal>
#include <filesystem>

#include "child_process.hpp"
#include "messaging_fixture.hpp"
#include "patience.hpp"
#include "store_location.hpp"
#include "temporary_directory.hpp"

// Real processes that die by SIGKILL in the middle of their work, and what the next one finds.

using namespace daybook;
using namespace daybook::test;

namespace {

struct Done {
    static constexpr EventType type{"parcel.done", 1};
    std::int64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Done::n); }
};

struct Reply {
    static constexpr EventType type{"parcel.reply", 1};
    std::int64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Reply::n); }
};

/// A store that several processes use one after another.
struct SharedStore {
    StoreLocation location;

    EventStore open() const { return location.open(); }

    void publish(std::int64_t from, std::int64_t to, std::string_view key = "k") const {
        EventStore store = open();
        store.transact([&](Transaction& tx) {
            for (auto n = from; n <= to; ++n) {
                tx.publish("post", Parcel{n}, {.key = std::string(key), .reply_to = "replies"});
            }
        });
    }
};

void die() { ::raise(SIGKILL); }

RelayOptions same_name() { return {.name = "relay", .retry = every(0ms).attempts(3)}; }

/// The handler of all these tests: its effect is an event, its reply a message.
void handle(const Message& message, Transaction& tx) {
    const auto n = message.as<Parcel>().n;
    tx.append("done-parcels", any_version, {Done{n}});
    reply(tx, message, Reply{n});
}

Numbers effects(EventStore& store) {
    Numbers numbers;
    for (const EventView event : store.read("done-parcels")) {
        numbers.push_back(event.as<Done>().n);
    }
    return numbers;
}

}  // namespace

TEST_CASE("A3: a crash after the commit and before the delivery loses no message") {
    const SharedStore shared;
    ChildProcess child([&](const ChildProcess::Report&) {
        shared.publish(1, 3);
        die();
    });
    CHECK(child.wait() == -1);
    EventStore store = shared.open();
    const auto waiting = outbox_list(store);
    REQUIRE(waiting.size() == 3);
    ScriptedTransport transport;
    Relay relay{store, transport, same_name()};
    CHECK(relay.run_once() == 3);
    CHECK(transport.seen().front().id == waiting.front().message.id);
    CHECK(transport.take() == Numbers{1, 2, 3});
}

TEST_CASE("A4: a crash after the delivery and before it is recorded brings the same id again") {
    const SharedStore shared;
    shared.publish(1, 3);
    ChildProcess child([&](const ChildProcess::Report& report) {
        EventStore store = shared.open();
        LocalTransport consumers{store};
        consumers.consume("post", "counter", handle);
        ScriptedTransport transport{[&](const Message& message) {
            if (consumers.deliver(message).status != Delivery::Status::delivered) return rejected();
            const auto n = message.as<Parcel>().n;
            report(static_cast<std::uint64_t>(n));
            if (n == 2) die();
            return Delivery{};
        }};
        Relay relay{store, transport, same_name()};
        relay.run_once();
    });
    CHECK(child.wait() == -1);
    CHECK(child.reports() == std::vector<std::uint64_t>{1, 2});

    EventStore store = shared.open();
    CHECK(effects(store) == Numbers{1, 2});
    LocalTransport consumers{store};
    consumers.consume("post", "counter", handle);
    consumers.consume("replies", "requester", [](const Message&, Transaction&) {});
    Relay relay{store, consumers, same_name()};
    while (relay.run_once() > 0) {}
    CHECK(effects(store) == Numbers{1, 2, 3});
    CHECK(consumers.counts().duplicates == 2);
    CHECK(consumers.counts().handled == 4);
    CHECK(outbox_status(store).unsent() == 0);
}

TEST_CASE("A5: a crash between the effect and the sending of the reply sends one reply") {
    const SharedStore shared;
    shared.publish(1, 1);
    ChildProcess child([&](const ChildProcess::Report&) {
        EventStore store = shared.open();
        LocalTransport consumers{store};
        consumers.consume("post", "counter", handle);
        consumers.consume("replies", "requester", [](const Message&, Transaction&) { die(); });
        Relay relay{store, consumers, same_name()};
        while (relay.run_once() > 0) {}
    });
    CHECK(child.wait() == -1);

    EventStore store = shared.open();
    LocalTransport consumers{store};
    Numbers replies;
    consumers.consume("post", "counter", handle);
    consumers.consume("replies", "requester", [&](const Message& message, Transaction&) {
        replies.push_back(message.as<Reply>().n);
    });
    Relay relay{store, consumers, same_name()};
    while (relay.run_once() > 0) {}
    CHECK(effects(store) == Numbers{1});
    CHECK(replies == Numbers{1});
}

TEST_CASE("A6: a crash inside a handler leaves neither mark nor effect nor reply") {
    const SharedStore shared;
    shared.publish(1, 1);
    ChildProcess child([&](const ChildProcess::Report&) {
        EventStore store = shared.open();
        LocalTransport consumers{store};
        consumers.consume("post", "counter", [](const Message& message, Transaction& tx) {
            handle(message, tx);
            die();
        });
        Relay relay{store, consumers, same_name()};
        relay.run_once();
    });
    CHECK(child.wait() == -1);
    EventStore store = shared.open();
    CHECK(effects(store).empty());
    CHECK(inbox_status(store).empty());
    CHECK(outbox_status(store).unsent() == 1);
}

TEST_CASE("F18: after a crash in the middle of a batch only what was not recorded comes again") {
    const SharedStore shared;
    shared.publish(1, 6);
    ChildProcess child([&](const ChildProcess::Report&) {
        EventStore store = shared.open();
        ScriptedTransport transport{[&](const Message& message) {
            if (message.as<Parcel>().n == 4) die();
            return Delivery{};
        }};
        RelayOptions options = same_name();
        options.batch_max = 2;
        Relay relay{store, transport, options};
        relay.run_once();
    });
    CHECK(child.wait() == -1);
    EventStore store = shared.open();
    ScriptedTransport transport;
    Relay relay{store, transport, same_name()};
    CHECK(relay.run_once() == 4);
    CHECK(transport.take() == Numbers{3, 4, 5, 6});
}

TEST_CASE("F2: a relay goes on with a store that was put back from a copy" *
          doctest::test_suite("sqlite")) {
    const SharedStore shared;
    const TemporaryDirectory copy;
    // A store is its file and the write-ahead log beside it.
    const auto original = std::filesystem::path{shared.location.uri()}.parent_path();
    const auto replace = [](const std::filesystem::path& to, const std::filesystem::path& from) {
        std::filesystem::remove_all(to);
        std::filesystem::copy(from, to);
    };
    const auto deliver_all = [&] {
        EventStore store = shared.open();
        ScriptedTransport transport;
        Relay relay{store, transport, same_name()};
        relay.run_once();
        return transport.take();
    };
    shared.publish(1, 3);
    replace(copy.path(), original);
    CHECK(deliver_all() == Numbers{1, 2, 3});
    shared.publish(4, 4);
    replace(original, copy.path());
    CHECK(deliver_all() == Numbers{1, 2, 3});
    shared.publish(5, 5);
    CHECK(deliver_all() == Numbers{5});
}

TEST_CASE("E6: a relay that died is replaced when its lease has run out") {
    const SharedStore shared;
    shared.publish(1, 2);
    ChildProcess child([&](const ChildProcess::Report&) {
        EventStore store = shared.open();
        ScriptedTransport transport{[](const Message&) {
            die();
            return Delivery{};
        }};
        Relay relay{store, transport, {.name = "dead", .lease = 300ms}};
        // On a busy machine the lease may expire before the first delivery.
        eventually([&] { return relay.run_once() > 0; });
    });
    CHECK(child.wait() == -1);
    EventStore store = shared.open();
    ScriptedTransport transport;
    Relay relay{store, transport, {.name = "heir"}};
    const auto deadline = std::chrono::steady_clock::now() + patience();
    while (relay.run_once() == 0 && std::chrono::steady_clock::now() < deadline) {}
    CHECK(transport.take() == Numbers{1, 2});
}

TEST_CASE("E11: a message that kills its process parks in the end and lets its neighbours live") {
    const SharedStore shared;
    shared.publish(1, 1, "well");
    shared.publish(2, 2, "poison");
    shared.publish(3, 3, "poison");
    int deaths = 0;
    for (int life = 0; life < 10; ++life) {
        ChildProcess child([&](const ChildProcess::Report&) {
            EventStore store = shared.open();
            ScriptedTransport transport{[&](const Message& message) {
                if (message.as<Parcel>().n == 2) die();
                return Delivery{};
            }};
            Relay relay{store, transport, same_name()};
            relay.run_once();
        });
        if (child.wait() == 0) break;
        ++deaths;
    }
    // The first crash is not counted: attempts are counted only after a crash.
    CHECK(deaths == 4);
    EventStore store = shared.open();
    const auto letters = DeadLetters{store}.list();
    REQUIRE(letters.size() == 1);
    CHECK(letters.front().reason == ParkReason::crashed);
    CHECK(letters.front().message.attempt == 3);
    CHECK(outbox_status(store).blocked == 1);
    CHECK(outbox_status(store).unsent() == 2);
}

TEST_CASE("F7: a transport that is down after a crash gives a counted attempt back") {
    const SharedStore shared;
    shared.publish(1, 1);
    ChildProcess child([&](const ChildProcess::Report&) {
        EventStore store = shared.open();
        ScriptedTransport transport{[](const Message&) {
            die();
            return Delivery{};
        }};
        Relay relay{store, transport, same_name()};
        relay.run_once();
    });
    CHECK(child.wait() == -1);
    EventStore store = shared.open();
    ScriptedTransport transport{[](const Message&) { return down(); }};
    Relay relay{store, transport, same_name()};
    CHECK(relay.run_once() == 0);
    CHECK(outbox_list(store).front().message.attempt == 0);
    CHECK(outbox_list(store).front().waits_for == OutboxWait::turn);
}
