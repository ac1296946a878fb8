#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "aggregate_bank.hpp"
#include "backup.hpp"
#include "daybook/eventstore/eventstore.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "log/commit_signal.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"

// A store that is restored from a backup, or replaced, while programs read it.

using namespace daybook;
using namespace std::chrono_literals;
using daybook::test::Backup;
using daybook::test::eventually;
using daybook::test::patience;
using daybook::test::StoreLocation;

namespace {

void append(const StoreLocation& location, const std::string& stream, const std::string& type,
            int events) {
    EventStore store = location.open();
    std::vector<NewEvent> all;
    for (int i = 0; i < events; ++i) all.push_back({EventType::checked(type, 1), "{}"});
    store.append(stream, any_version, all);
}

/// Has a handler that records the streams of its events.
class Seen {
public:
    SubscriptionHandler handler() {
        return [this](EventView event) {
            const std::scoped_lock lock{mutex_};
            streams_.emplace_back(event.stream());
        };
    }
    bool has(const std::string& stream) const {
        const std::scoped_lock lock{mutex_};
        return std::ranges::find(streams_, stream) != streams_.end();
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> streams_;
};

bool has_ended(const Subscription& subscription) {
    return eventually([&] { return subscription.state() == SubscriptionState::failed; });
}

}  // namespace

TEST_CASE("a subscription does not go on in a log that was put back from a backup [A1]") {
    const StoreLocation location;
    append(location, "old-1", "thing.done", 5);
    Backup backup{location};
    append(location, "lost-1", "thing.done", 5);
    append(location, "lost-1", "thing.passed", 1);
    EventFilter filter;
    SUBCASE("all events") {}
    SUBCASE("some events") { filter.types = {"thing.done"}; }
    Seen seen;
    auto subscription =
        subscribe(location.open(), {.filter = filter, .retry = every(1ms)}, seen.handler());
    REQUIRE(subscription.wait_for(11, patience()));
    REQUIRE(eventually([&] { return subscription.state() == SubscriptionState::live; }));
    backup.restore_to(location);
    SUBCASE("and is shorter now") {}
    SUBCASE("and has grown again") { append(location, "new-1", "thing.done", 20); }
    CHECK(has_ended(subscription));
    CHECK(subscription.last_error().find("at position 11") != std::string::npos);
    CHECK_FALSE(seen.has("new-1"));
}

TEST_CASE("a subscription does not go on in another store of the same name [A1]") {
    const StoreLocation location;
    const StoreLocation other;
    append(other, "other-1", "thing.done", 7);
    append(location, "old-1", "thing.done", 5);
    Seen seen;
    auto subscription = subscribe(location.open(), {.retry = every(1ms)}, seen.handler());
    REQUIRE(subscription.wait_for(5, patience()));
    Backup{other}.restore_to(location);
    CHECK(has_ended(subscription));
    CHECK_FALSE(seen.has("other-1"));
}

TEST_CASE("a follower starts only in the log that its checkpoint belongs to [A1]") {
    const StoreLocation location;
    const StoreLocation other;
    append(location, "old-1", "thing.done", 5);
    append(other, "other-1", "thing.done", 7);
    Follower follower{location.open()};
    for (int i = 0; i < 3; ++i) REQUIRE(follower.next(0ms).has_value());
    const LogPoint point = parse_log_point(to_string(follower.point()));
    CHECK(point == follower.point());
    CHECK(point.store == location.open().identity());

    Follower again{location.open(), {.after = point}};
    CHECK(again.next(0ms)->position() == Position{4});
    Follower stranger{other.open(), {.after = point}};
    const std::string both = point.store.to_string() + ", and this is";
    CHECK_THROWS_WITH_AS(stranger.next(0ms), doctest::Contains(both.c_str()), InvalidError);
    Follower beyond{location.open(), {.after = 6}};
    CHECK_THROWS_WITH_AS(beyond.next(0ms), doctest::Contains("its log ends before"), InvalidError);
    Follower at_head{location.open(), {.after = 5}};
    CHECK_FALSE(at_head.next(0ms).has_value());
}

TEST_CASE("text that is no position of a log is not parsed as one [A1]" *
          doctest::test_suite("no-store")) {
    CHECK(parse_log_point("17") == LogPoint{17});
    const LogPoint point{17, EventId::generate(), EventId::generate()};
    CHECK(parse_log_point(to_string(point)) == point);
    for (const char* bad : {"", "x", "-1", "17 ", "17 x", "17 x y", "99999999999999999999999"}) {
        CHECK_THROWS_AS(parse_log_point(bad), InvalidError);
    }
}

TEST_CASE("one read of the log does not mix the events of two logs [A1]") {
    const StoreLocation location;
    append(location, "old-1", "thing.done", 500);
    Backup backup{location};
    append(location, "old-1", "thing.done", 2'500);
    const EventStore store = location.open();
    const auto walk = [&](EventRange range) {
        std::size_t events = 0;
        for (const EventView event : range) {
            CHECK(event.stream() == "old-1");
            if (++events != 700) continue;
            backup.restore_to(location);
            append(location, "new-1", "thing.done", 3'000);
        }
    };
    SUBCASE("of all") { CHECK_THROWS_AS(walk(store.read_all()), InvalidError); }
    SUBCASE("of a stream") { CHECK_THROWS_AS(walk(store.read("old-1")), InvalidError); }
}

TEST_CASE("a reader does not give the names of a log to another [A1]") {
    const StoreLocation location;
    append(location, "old-1", "thing.done", 1);
    Backup backup{location};
    append(location, "lost-1", "thing.lost", 1);
    const EventStore store = location.open();
    for (const EventView event : store.read_all()) CHECK_FALSE(event.stream().empty());
    CHECK(store.version("lost-1") == Version{1});
    backup.restore_to(location);
    append(location, "new-1", "thing.new", 1);
    std::vector<std::string> names;
    for (const EventView event : store.read_all()) {
        names.push_back(std::string(event.stream()) + ' ' + std::string(event.type()));
    }
    CHECK(names == std::vector<std::string>{"old-1 thing.done", "new-1 thing.new"});
    for (const EventView event : store.read("new-1")) CHECK(event.type() == "thing.new");
    CHECK(store.version("lost-1") == Version{0});
}

TEST_CASE("a writer does not use the numbers of a log in another [A1]") {
    const StoreLocation location;
    append(location, "old-1", "thing.done", 1);
    Backup backup{location};
    EventStore store = location.open();
    const auto both = [&](const std::string& stream) {
        const NewEvent first{EventType::checked("thing.first", 1), "{}"};
        const NewEvent second{EventType::checked("thing.second", 1), "{}"};
        store.append(stream, any_version, {first});
        store.append(stream, any_version,
                     {NewEvent{first.type, "{}"}, NewEvent{second.type, "{}"},
                      NewEvent{first.type, "{}"}, NewEvent{second.type, "{}"}});
    };
    both("pair-1");
    both("pair-1");
    backup.restore_to(location);
    append(location, "new-1", "thing.second", 1);
    append(location, "new-2", "thing.third", 1);
    both("pair-1");
    both("pair-1");
    std::string types;
    for (const EventView event : location.open().read("pair-1")) types += event.type().substr(6, 1);
    CHECK(types == "ffsfsffsfs");
    CHECK(location.open().head() == Position{13});
}

TEST_CASE("a snapshot of a history that was lost is not used [A1]") {
    const StoreLocation location;
    {
        Repository<bank::Vault> vaults{location.open()};
        vaults.update_or_create("vault-1", [](bank::Vault& vault) { vault.deposit(1); });
    }
    Backup backup{location};
    EventStore store = location.open();
    Repository<bank::Vault> vaults{store, {.snapshot_every = 1}};
    for (int i = 0; i < 4; ++i) {
        vaults.update("vault-1", [](bank::Vault& vault) { vault.deposit(10); });
    }
    // A snapshot that is newer than the log, as one that is not part of the backup would be.
    std::string fingerprint;
    std::string state;
    EventId event;
    store.query([&](Sql& sql) {
        sql.each("SELECT fingerprint, state, event FROM daybook_snapshot", [&](const SqlRow& row) {
            fingerprint = row.text(0);
            state = row.text(1);
            event = row.id(2);
        });
    });
    backup.restore_to(location);
    bool has_grown = false;
    SUBCASE("beyond the head") {}
    SUBCASE("at another event") { has_grown = true; }
    if (has_grown) {
        Repository<bank::Vault> others{location.open()};
        for (int i = 0; i < 6; ++i) {
            others.update("vault-1", [](bank::Vault& vault) { vault.deposit(100); });
        }
    }
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(
            "INSERT INTO daybook_snapshot(stream, aggregate, fingerprint, version, event, state, "
            "taken_at) VALUES('vault-1', 'bank::Vault', ?, 5, ?, ?, 0)",
            fingerprint, event, state);
    });
    const bank::Vault vault = vaults.load("vault-1");
    CHECK(vault.balance() == (has_grown ? 601 : 1));
    CHECK(vault.version() == Version{has_grown ? 7U : 1U});
}

TEST_CASE("a subscription waits while the store is not there and goes on after that [B7]") {
    const StoreLocation location;
    append(location, "thing-1", "thing.done", 3);
    std::atomic<int> warnings = 0;
    const EventStore store = location.open({.log = [&](LogLevel level, std::string_view) {
        if (level == LogLevel::warning) ++warnings;
    }});
    Seen seen;
    auto subscription = subscribe(store, {.retry = every(1ms)}, seen.handler());
    REQUIRE(subscription.wait_for(3, patience()));
    CHECK(subscription.lag() == 0);
    test::hide_table(location, "daybook_event");
    CHECK(eventually([&] { return subscription.state() == SubscriptionState::waiting; }));
    CHECK_FALSE(subscription.last_error().empty());
    CHECK(subscription.lag() == 0);
    CHECK(warnings > 0);
    test::show_table(location, "daybook_event");
    append(location, "thing-2", "thing.done", 1);
    CHECK(subscription.wait_for(4, patience()));
    CHECK(seen.has("thing-2"));
    CHECK(eventually([&] { return subscription.state() == SubscriptionState::live; }));
    CHECK(subscription.last_error().empty());
}

TEST_CASE("no exception of a handler leaves the thread of its subscription [B7]") {
    const StoreLocation location;
    append(location, "thing-1", "thing.done", 3);
    SubscriptionHandler handler;
    SUBCASE("one that waiting would not help") {
        handler = [](EventView) { throw UnavailableError("the handler's own"); };
    }
    SUBCASE("one that is no exception") {
        handler = [](EventView) { throw 7; };
    }
    auto subscription = subscribe(location.open(), {.name = "mailer"}, handler);
    CHECK(has_ended(subscription));
    CHECK(subscription.last_error().find("the handler failed at position 1") != std::string::npos);
}

TEST_CASE("a log sink that throws ends no thread [B7]") {
    const StoreLocation location;
    append(location, "thing-1", "thing.done", 1);
    const EventStore store = location.open(
        {.log = [](LogLevel, std::string_view) { throw std::runtime_error{"full"}; }});
    auto subscription = subscribe(store, {}, [](EventView) { throw std::runtime_error{"no"}; });
    CHECK(has_ended(subscription));
}

TEST_CASE("a wait for a commit ends when the store cannot be read [B7]" *
          doctest::test_suite("no-store")) {
    std::atomic<bool> away = false;
    CommitSignal signal{[&]() -> std::uint64_t {
        if (away) throw UnavailableError("no server");
        return 1;
    }};
    const std::uint64_t seen = signal.count();
    away = true;
    signal.wait(seen, patience(), {});
    CHECK(signal.count() != seen);
}

TEST_CASE(
    "a subscription goes on though its statements are cancelled and its connections ended [B7]" *
    doctest::test_suite("postgres")) {
    const StoreLocation location;
    append(location, "thing-1", "thing.done", 1);
    const std::string name = location.uri().substr(location.uri().rfind('=') + 1);
    const EventStore store = EventStore::open(location.uri() + "&application_name=" + name);
    const auto act = [&](const char* what) {
        return std::string("SELECT count(") + what +
               "(pid)) FROM pg_stat_activity WHERE application_name = '" + name + "'";
    };
    std::atomic<std::uint64_t> handled = 0;
    auto subscription = subscribe(store, {.retry = every(1ms)}, [&](EventView) { ++handled; });
    std::jthread storming{[&](const std::stop_token& stop) {
        test::PostgresConnection server{test::postgres_uri()};
        server.query("SET client_min_messages = error");
        while (!stop.stop_requested()) {
            for (int i = 0; i < 20; ++i) server.query(act("pg_cancel_backend"));
            server.query(act("pg_terminate_backend"));
        }
    }};
    EventStore writer = location.open();
    for (int i = 0; i < 100; ++i) {
        writer.append("thing-1", any_version,
                      {NewEvent{EventType::checked("thing.done", 1), "{}"}});
    }
    storming.request_stop();
    storming.join();
    CHECK(subscription.wait_for(101, patience()));
    CHECK(handled == 101);
}
