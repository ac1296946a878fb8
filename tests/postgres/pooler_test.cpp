#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"
#include "private_pooler.hpp"
#include "wire_operations.hpp"

// A real PgBouncer that gives a connection for one transaction at a time, and has fewer of them
// than it has clients.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t clients = 8;
constexpr int connections = 3;
/// Each thread that feeds or queries a read model holds one connection while it uses another. One
/// connection more than there are such threads keeps them from waiting for each other.
constexpr std::size_t workers = 3;
constexpr int connections_of_workers = static_cast<int>(workers) + 1;

std::string pooled(const PrivatePooler& pooler, const PostgresSchema& schema) {
    return pooler.uri() + "?schema=" + schema.name() + "&pooler=transaction";
}

/// The sum of columns of SHOW POOLS, over all pools but that of the console.
int sum_of_pools(const PrivatePooler& pooler, const std::vector<std::size_t>& columns) {
    int sum = 0;
    for (const auto& row : PostgresConnection{pooler.console_uri()}.query("SHOW POOLS")) {
        if (row.at(0) == "pgbouncer") continue;
        for (const std::size_t column : columns) sum += std::stoi(row.at(column));
    }
    return sum;
}

int clients_of(const PrivatePooler& pooler) { return sum_of_pools(pooler, {2, 3}); }
int connections_of(const PrivatePooler& pooler) {
    return sum_of_pools(pooler, {6, 7, 8, 9, 10, 11, 12});
}

/// Runs the operation until it is complete, as a program would. Returns what is wrong, or nothing.
std::string run_whole(const Operation& operation, std::uint64_t n) {
    const auto deadline = SteadyClock::now() + patience();
    try {
        if (operation.prepare) operation.prepare(n);
        do operation.run(n);
        while (operation.kind == Operation::Kind::steps && operation.parts(n) != operation.whole &&
               SteadyClock::now() < deadline);
    } catch (const std::exception& error) {
        return operation.name + ": " + error.what() + "\n";
    }
    const std::int64_t parts = operation.parts(n);
    if (parts == operation.whole) return {};
    return operation.name + ": " + std::to_string(parts) + " parts of " +
           std::to_string(operation.whole) + "\n";
}

/// Each operation several times, on a store of its own.
std::string run_all(const PrivatePooler& pooler) {
    const PostgresSchema schema;
    const EventStore direct = EventStore::open(schema.uri());
    const EventStore through = EventStore::open(pooled(pooler, schema));
    std::string wrong;
    std::uint64_t n = 1000;
    for (const Operation& operation : wire_operations(direct, through)) {
        for (int round = 0; round < 3; ++round) wrong += run_whole(operation, ++n);
    }
    return wrong;
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("every operation works through a pooler that has fewer connections than clients") {
    const PrivatePooler pooler{postgres_uri(), connections_of_workers};
    std::array<std::string, workers> wrong;
    int clients_seen = 0;
    int connections_seen = 0;
    std::atomic<std::size_t> ended = 0;
    {
        std::vector<std::jthread> threads;
        for (std::string& text : wrong) {
            threads.emplace_back([&] {
                try {
                    text = run_all(pooler);
                } catch (const std::exception& error) {
                    text = error.what();
                }
                ++ended;
            });
        }
        while (ended < wrong.size()) {
            clients_seen = std::max(clients_seen, clients_of(pooler));
            connections_seen = std::max(connections_seen, connections_of(pooler));
            std::this_thread::sleep_for(20ms);
        }
    }
    for (const std::string& text : wrong) CHECK(text == "");
    MESSAGE(clients_seen << " clients on " << connections_seen << " connections");
    CHECK(connections_seen <= connections_of_workers);
    CHECK(clients_seen > connections_of_workers);
}

TEST_CASE("eight writers of one store behind a pooler leave no hole and lose nothing") {
    const PrivatePooler pooler{postgres_uri(), connections};
    const PostgresSchema schema;
    EventStore::open(pooled(pooler, schema));
    constexpr std::uint64_t transactions = 40;
    std::array<std::set<std::uint64_t>, clients> done;
    std::array<std::string, clients> wrong;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < clients; ++i) {
            threads.emplace_back([&, i] {
                try {
                    EventStore store = EventStore::open(pooled(pooler, schema));
                    for (std::uint64_t transaction = 0; transaction < transactions; ++transaction) {
                        const std::uint64_t number = i * transactions + transaction;
                        const std::string stream = "thing-" + std::to_string(number % 5);
                        if (transaction % 2 == 0) {
                            store.append(stream, any_version, {numbered(number), numbered(number)});
                        } else {
                            store.transact([&](Transaction& tx) {
                                tx.append(stream, any_version, {numbered(number)});
                                tx.append("other-1", any_version, {numbered(number)});
                            });
                        }
                        done[i].insert(number);
                    }
                } catch (const std::exception& error) {
                    wrong[i] = error.what();
                }
            });
        }
    }
    std::map<std::uint64_t, int> events_of;
    std::map<std::string, std::uint64_t> versions;
    std::uint64_t position = 0;
    bool dense = true;
    for (const EventView event : EventStore::open(pooled(pooler, schema)).read_all()) {
        dense = dense && event.position() == Position{++position};
        dense = dense && event.version() == Version{++versions[std::string(event.stream())]};
        ++events_of[std::stoull(std::string(event.data().substr(5)))];
    }
    CHECK(dense);
    for (std::size_t i = 0; i < clients; ++i) {
        CHECK(wrong[i] == "");
        CHECK(done[i].size() == transactions);
        for (const std::uint64_t number : done[i]) CHECK(events_of[number] == 2);
    }
    CHECK(position == 2 * clients * transactions);
}

TEST_CASE("a commit behind a pooler ends the waits on other connections") {
    const PrivatePooler pooler{postgres_uri(), connections};
    const PostgresSchema schema;
    EventStore writing = EventStore::open(pooled(pooler, schema));
    const EventStore waiting = EventStore::open(pooled(pooler, schema));
    for (std::uint64_t n = 1; n <= 20; ++n) {
        const Position seen = waiting.head();
        std::jthread later{[&] { writing.append("thing-1", any_version, {numbered(n)}); }};
        CHECK(waiting.wait_beyond(seen, patience()));
        CHECK(waiting.head() == Position{n});
    }
}

TEST_SUITE_END();
