#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"
#include "store_location.hpp"

// How a process notices commits of other processes and the server's time, and what that costs them.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

std::atomic<long> machine_is_ahead_s = 0;

std::string schema_of(const StoreLocation& location) {
    return location.uri().substr(location.uri().rfind('=') + 1);
}

std::string server_of(const StoreLocation& location) {
    return location.uri().substr(0, location.uri().find('?'));
}

}  // namespace

// The machine's clock as this program sees it, which the tests below set.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
    const auto result = syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += machine_is_ahead_s.load();
    return static_cast<int>(result);
}

TEST_SUITE_BEGIN("postgres");

TEST_CASE("events are recorded at the server's time when the machine's clock has stepped [B10]") {
    const StoreLocation location;
    EventStore store = location.open();
    PostgresConnection server{server_of(location)};
    for (const long step : {3600L, -3600L}) {
        machine_is_ahead_s = step;
        CHECK(SystemClock::instance().now() != Timestamp{});
        store.append("thing-1", any_version, {numbered(1)});
        const auto recorded = (*store.read("thing-1", {.direction = Direction::backward}).begin())
                                  .recorded_at()
                                  .time_since_epoch();
        machine_is_ahead_s = 0;
        const std::chrono::seconds now{
            std::stoll(server.field("SELECT extract(epoch FROM clock_timestamp())::bigint"))};
        CHECK(std::chrono::abs(recorded - now) < 60s);
    }
}

TEST_CASE("a transaction leaves no dead rows behind, also beside an old snapshot [D16]") {
    const StoreLocation location;
    EventStore store = location.open();
    PostgresConnection old{server_of(location)};
    old.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM " + schema_of(location) +
              ".daybook_event");
    const auto bytes = [&] {
        return old.field(
            "SELECT sum(pg_relation_size(c.oid)) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = '" +
            schema_of(location) + "'");
    };
    store.transact([](Transaction& tx) { tx.sql().integer("SELECT 1"); });
    const std::string before = bytes();
    for (int i = 0; i < 400; ++i) store.transact([](Transaction&) {});
    CHECK(bytes() == before);
}

TEST_CASE(
    "a transaction without an event is noticed by other processes, once it is visible [D16]") {
    const StoreLocation location;
    EventStore store = location.open();
    EventStore other = location.open();
    store.transact([](Transaction& tx) { tx.sql().script("CREATE TABLE mine(n INT)"); });
    for (int i = 1; i <= 5; ++i) {
        store.transact([](Transaction& tx) {
            tx.sql().exec("INSERT INTO mine VALUES(1)");
            // The other store polls while the transaction is open.
            std::this_thread::sleep_for(60ms);
        });
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        std::int64_t rows = 0;
        for (std::uint64_t seen = other.commits(); rows < i;) {
            REQUIRE(std::chrono::steady_clock::now() < deadline);
            other.query([&](Sql& sql) { rows = *sql.integer("SELECT count(*) FROM mine"); });
            if (rows < i) other.wait_for_commit(seen, 20s, {});
            seen = other.commits();
        }
        CHECK(rows == i);
    }
}

TEST_CASE(
    "a program that has waited once and is idle now does not fill the cluster's queue [D16]") {
    const StoreLocation location;
    EventStore idle = location.open();
    CHECK_FALSE(idle.wait_beyond(Position{0}, 50ms, {}));
    PostgresConnection server{server_of(location)};
    // More than the buffers of the sockets hold: the server can send it only if the program reads
    // it.
    const std::string channel = "daybook." + schema_of(location);
    for (int part = 0; part < 30; ++part) {
        server.query("SELECT pg_notify('" + channel +
                     "', n::text || repeat('x', 7000)) FROM generate_series(1, 100) AS n");
    }
    CHECK(eventually(
        [&] { return server.field("SELECT pg_notification_queue_usage() < 0.0001") == "t"; }));
}

TEST_SUITE_END();
