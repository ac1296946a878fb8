#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include <doctest/doctest.h>
#include <signal.h>

#include "daybook/eventstore/eventstore.hpp"
#include "patience.hpp"
#include "shop.hpp"
#include "store_location.hpp"

namespace {

using namespace daybook;
using namespace std::chrono_literals;

NewEvent numbered(int number) {
    return NewEvent{EventType{"thing.counted", 1}, "{\"n\":" + std::to_string(number) + "}"};
}

void append_events(EventStore& store, int transactions, int events) {
    for (int transaction = 0; transaction < transactions; ++transaction) {
        std::vector<NewEvent> batch;
        for (int i = 0; i < events; ++i) batch.push_back(numbered(i));
        store.append("thing-" + std::to_string(transaction % 5), any_version, batch);
    }
}

LogHash hash_of(const std::string& uri) {
    const EventStore store = EventStore::open(uri);
    return hash_log(store, store.head());
}

/// A source in a file, a target of the engine under test, and the commands between them.
struct Transfer {
    test::TemporaryDirectory directory;
    test::StoreLocation location;
    std::string from = directory.file("from.db");
    std::string to = location.uri();

    process::Arguments arguments(const char* command, process::Arguments more = {}) const {
        process::Arguments all{command, "--from", from, "--to", to, "--json"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    process::Result run(const char* command, process::Arguments more = {}) const {
        return process::run(arguments(command, std::move(more)));
    }
    Position head_of_target() const {
        try {
            return EventStore::open(to, {.create = false}).head();
        } catch (const Error&) {
            return 0;  // killed before the target existed
        }
    }
    /// Waits, on however slow a machine, until something was copied, unless all of it was before.
    void wait_beyond(Position before) const {
        if (before == EventStore::open(from).head()) return;
        CHECK(test::eventually([&] { return head_of_target() != before; }));
    }
};

/// A random time in which a program copies a part on the engine under test.
void sleep_a_while(std::mt19937& random) {
    const int micros = test::on_postgres() ? 500'000 : 80'000;
    std::this_thread::sleep_for(
        std::chrono::microseconds{std::uniform_int_distribution<int>{0, micros}(random)});
}

}  // namespace

TEST_CASE("migrate moves a store and prints what it has found on both sides") {
    const Transfer transfer;
    EventStore source = EventStore::open(transfer.from);
    append_events(source, 10, 20);
    const auto result = transfer.run("migrate");
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(keys(result.out) == std::vector<std::string>{"from", "to", "events", "copied", "seconds",
                                                       "per_second", "source_hash", "target_hash",
                                                       "rows", "rebuild"});
    const auto printed = Json::parse(result.out);
    CHECK(printed["events"] == 200);
    CHECK(printed["source_hash"] == printed["target_hash"]);
    CHECK(printed["source_hash"] == hash_of(transfer.to).value());
    CHECK(Json::parse(transfer.run("migrate").out)["copied"] == 0);

    EventStore::open(transfer.to).append("mine-1", any_version, {numbered(1)});
    const auto refused = transfer.run("migrate");
    CHECK(refused.code == 2);
    CHECK(Json::parse(process::lines(refused.err).back())["error"] == "invalid");
}

TEST_CASE("migrate wants a source that is there and a sensible batch") {
    const Transfer transfer;
    CHECK(transfer.run("migrate").code == 3);
    EventStore::open(transfer.from);
    CHECK(transfer.run("migrate", {"--batch", "0"}).code == 2);
    CHECK(transfer.run("mirror", {"--batch", "-1"}).code == 2);
    CHECK(process::run({"migrate", "--from", transfer.from}).code == 2);
    CHECK_FALSE(EventStore::open(transfer.from).head() > Position{0});
}

TEST_CASE("a migration that is killed again and again ends with equal stores" *
          doctest::test_suite("concurrent")) {
    const Transfer transfer;
    {
        EventStore source = EventStore::open(transfer.from);
        append_events(source, 100, 200);
        source.transact([](Transaction& tx) {
            for (int i = 0; i < 500; ++i) {
                tx.publish({"topic", EventType{"a.b", 1}, "{}", {}});
            }
        });
    }
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    int killed_on_the_way = 0;
    for (int round = 0; round < 25; ++round) {
        const Position before = transfer.head_of_target();
        process::Child child{transfer.arguments("migrate", {"--batch", "50"})};
        if (round % 2 == 0) {
            sleep_a_while(random);
        } else {
            transfer.wait_beyond(before);
        }
        child.send(SIGKILL);
        child.wait();
        const Position head = transfer.head_of_target();
        if (head > Position{0} && head < Position{20'000}) ++killed_on_the_way;
    }
    const auto result = transfer.run("migrate");
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(killed_on_the_way > 0);
    CHECK(hash_of(transfer.to) == hash_of(transfer.from));
    CHECK(hash_of(transfer.to).events() == 20'000);
    EventStore::open(transfer.to).query([](Sql& sql) {
        CHECK(sql.integer("SELECT COUNT(*) FROM daybook_outbox") == 500);
    });
}

TEST_CASE("a mirror that is killed under load loses nothing and repeats nothing" *
          doctest::test_suite("concurrent")) {
    const Transfer transfer;
    EventStore source = EventStore::open(transfer.from);
    append_events(source, 10, 100);
    std::atomic<bool> done{false};
    std::thread load{[&] {
        while (!done) append_events(source, 5, 20);
    }};
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    for (int round = 0; round < 15; ++round) {
        process::Child child{transfer.arguments("mirror", {"--batch", "20"})};
        sleep_a_while(random);
        child.send(SIGKILL);
        child.wait();
    }
    done = true;
    load.join();
    const auto result = transfer.run("mirror", {"--once"});
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(Json::parse(result.out)["lag"] == 0);
    CHECK(Json::parse(result.out)["stored"] == source.head().value());
    CHECK(hash_of(transfer.to) == hash_of(transfer.from));
}

TEST_CASE("mirror follows until Ctrl-C and prints how far it came" *
          doctest::test_suite("concurrent")) {
    const Transfer transfer;
    EventStore source = EventStore::open(transfer.from);
    append_events(source, 1, 10);
    process::Child child{transfer.arguments("mirror", {"--name", "shop-7"})};
    append_events(source, 5, 10);
    CHECK(test::eventually([&] { return transfer.head_of_target() >= source.head(); }));
    child.send(SIGINT);
    const auto result = child.wait();
    INFO(result.err);
    CHECK(result.code == 0);
    const auto printed = Json::parse(result.out);
    CHECK(keys(result.out) == std::vector<std::string>{"name", "state", "position", "head", "lag",
                                                       "stored", "dropped", "per_second",
                                                       "last_error"});
    CHECK(printed["name"] == "shop-7");
    CHECK(printed["state"] == "stopped");
    CHECK(printed["position"] == 60);
    CHECK(hash_of(transfer.to) == hash_of(transfer.from));
}

TEST_CASE("mirror ends with a conflict where the target was written to") {
    const Transfer transfer;
    EventStore::open(transfer.from).append("thing-1", any_version, {numbered(1)});
    EventStore::open(transfer.to).append("thing-1", any_version, {numbered(2)});
    for (const process::Arguments& how : {process::Arguments{"--once"}, process::Arguments{}}) {
        const auto result = transfer.run("mirror", how);
        CHECK(result.code == 4);
        CHECK(result.err.find("thing-1") != std::string::npos);
    }
}

TEST_CASE("no command shows a password") {
    const Transfer transfer;
    EventStore::open(transfer.from);
    const std::string server = "postgresql://ada:geheim@127.0.0.1:1/orders";
    for (const char* command : {"migrate", "mirror"}) {
        const auto to = process::run({command, "--from", transfer.from, "--to", server});
        const auto from = process::run({command, "--from", server, "--to", transfer.to, "--json"});
        CHECK(to.code == 6);
        CHECK(from.code == 6);
        for (const auto& text : {to.err, to.out, from.err, from.out}) {
            CHECK_MESSAGE(text.find("geheim") == std::string::npos, text);
        }
    }
    const auto stats = process::run({"--store", server, "stats"});
    CHECK(stats.err.find("geheim") == std::string::npos);
    CHECK(stats.err.find("***") != std::string::npos);
}
