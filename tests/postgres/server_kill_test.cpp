#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
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
#include "private_cluster.hpp"
#include "wire_proxy.hpp"

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t clients = 8;
constexpr int kills = 5;
constexpr std::uint64_t transaction_events = 3;

/// The results that a client got, by the number in the events.
struct Results {
    std::set<std::uint64_t> done;
    std::set<std::uint64_t> nothing;
    std::set<std::uint64_t> in_doubt;
    std::string wrong;  ///< an error of a kind that a lost server must not cause
};

/// Appends and transactions in turn until `stop`, each with a number of its own.
Results append_until(const std::stop_token& stop, EventStore store, std::uint64_t first,
                     std::atomic<std::uint64_t>& done) {
    Results results;
    for (std::uint64_t number = first; !stop.stop_requested(); ++number) {
        const std::string stream = "thing-" + std::to_string(number % 5);
        try {
            if (number % 2 == 0) {
                store.transact([&](Transaction& tx) {
                    tx.append(stream, any_version, {numbered(number)});
                    tx.append("other-1", any_version, {numbered(number), numbered(number)});
                });
            } else {
                store.append(stream, any_version,
                             {numbered(number), numbered(number), numbered(number)});
            }
            results.done.insert(number);
            ++done;
        } catch (const UnavailableError&) {
            results.nothing.insert(number);
            std::this_thread::sleep_for(1ms);
        } catch (const InDoubtError&) {
            results.in_doubt.insert(number);
        } catch (const std::exception& error) {
            results.nothing.insert(number);
            results.wrong = error.what();
        }
    }
    return results;
}

using Counts = std::array<std::atomic<std::uint64_t>, clients>;

/// Waits until each client has stored some appends.
bool all_append(const Counts& done) {
    return std::ranges::all_of(done, [](const auto& count) {
        const std::uint64_t before = count;
        return eventually([&] { return count >= before + 5; });
    });
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("P11: eight clients append while the server is killed and every verdict is true") {
    PrivateCluster cluster;
    const PostgresSchema schema{cluster.uri()};
    const StoreOptions options{.busy_wait_max = 5s, .reply_wait_max = 5s};
    EventStore::open(schema.uri(), options);
    std::array<Results, clients> results;
    Counts done_by{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < clients; ++i) {
            EventStore store = EventStore::open(schema.uri(), options);
            threads.emplace_back([&, i, store](const std::stop_token& stop) {
                results[i] = append_until(stop, store, (i + 1) * 1'000'000'000, done_by[i]);
            });
        }
        for (int kill = 0; kill < kills; ++kill) {
            CHECK(all_append(done_by));
            std::this_thread::sleep_for(300ms + kill * 37ms);
            cluster.kill();
            std::this_thread::sleep_for(kill * 50ms);
            cluster.restart();
        }
        CHECK(all_append(done_by));
    }

    std::map<std::uint64_t, std::uint64_t> events_of;
    std::map<std::string, std::uint64_t> versions;
    std::uint64_t position = 0;
    bool dense = true;
    EventStore store = EventStore::open(schema.uri(), options);
    for (const EventView event : store.read_all()) {
        dense = dense && event.position() == Position{++position};
        dense = dense && event.version() == Version{++versions[std::string(event.stream())]};
        ++events_of[std::stoull(std::string(event.data().substr(5)))];
    }
    CHECK_MESSAGE(dense, "positions and versions have no holes");
    bool whole = true;
    for (const auto& [number, events] : events_of) whole = whole && events == transaction_events;
    CHECK_MESSAGE(whole, "all events of a transaction, once, or none");

    std::size_t done = 0;
    std::size_t refused = 0;
    std::size_t in_doubt = 0;
    std::size_t missing = 0;
    std::size_t denied = 0;
    for (const Results& client : results) {
        CHECK(client.wrong == "");
        for (const std::uint64_t number : client.done) missing += 1 - events_of.count(number);
        for (const std::uint64_t number : client.nothing) denied += events_of.count(number);
        done += client.done.size();
        refused += client.nothing.size();
        in_doubt += client.in_doubt.size();
    }
    MESSAGE(done << " done, " << refused << " refused, " << in_doubt << " in doubt");
    CHECK_MESSAGE(missing == 0, "every acknowledged transaction is stored");
    CHECK_MESSAGE(denied == 0, "no transaction that was refused is stored");
}

// A server that dies loses the number of a transaction that was not on disk yet, and gives it to
// the next one.
TEST_CASE(
    "P11: a transaction that a crash took away is not mistaken for the next that gets its number") {
    PrivateCluster cluster;
    WireProxy proxy{cluster.uri()};
    const PostgresSchema schema{cluster.uri()};
    const StoreOptions options{.busy_wait_max = 10s, .reply_wait_max = 10s};
    EventStore store = EventStore::open(proxy.uri() + "?schema=" + schema.name(), options);
    const auto append = [](EventStore& to, const char* stream) {
        to.transact([&](Transaction& tx) { tx.append(stream, any_version, {numbered(1)}); });
    };
    for (int round = 0; round < 2; ++round) {
        append(store, "kept-1");
        append(store, "kept-1");
        std::jthread crash;
        bool done = false;
        try {
            store.transact([&](Transaction& tx) {
                tx.append("lost-1", any_version, {numbered(2)});
                // The next message belongs to COMMIT.
                proxy.arm({.message = 1, .action = WireProxy::Action::stall});
                crash = std::jthread{[&] {
                    CHECK(proxy.wait_until_happened(patience()));
                    cluster.kill();
                    cluster.restart();
                    EventStore other = EventStore::open(schema.uri(), options);
                    for (int i = 0; i < 3; ++i) append(other, "other-1");
                    proxy.heal();
                }};
            });
            done = true;
        } catch (const InDoubtError&) {
        } catch (const UnavailableError&) {}
        crash.join();
        CHECK(proxy.happened());
        const EventStore after = EventStore::open(schema.uri(), options);
        CHECK(after.version("lost-1") == Version{0});
        CHECK_FALSE(done);
    }
}

TEST_SUITE_END();
