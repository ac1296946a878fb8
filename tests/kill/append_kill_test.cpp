#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

#include "child_process.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

constexpr int children_count = 2;
constexpr std::uint64_t unit_events = 3;
constexpr std::uint64_t appends_min = 100;

/// Appends for ever: single events, batches and transactions of two streams. Reports the number of
/// each append that returned; the number stands in the events.
void append_for_ever(const std::string& uri, std::uint64_t first_number,
                     const ChildProcess::Report& report) {
    EventStore store = EventStore::open(uri);
    for (std::uint64_t number = first_number;; ++number) {
        const std::string stream = "thing-" + std::to_string(number % 5);
        if (number % 3 == 0) {
            store.transact([&](Transaction& tx) {
                tx.append(stream, any_version, {numbered(number)});
                tx.append("other-1", any_version, {numbered(number), numbered(number)});
            });
        } else {
            store.append(stream, any_version,
                         {numbered(number), numbered(number), numbered(number)});
        }
        report(number);
    }
}

std::uint64_t number_in(EventView event) {
    return std::stoull(std::string(event.data().substr(5)));
}

/// V1 to V4 and V8 over the whole log.
void verify(const std::string& uri, const std::set<std::uint64_t>& acknowledged) {
    EventStore store = EventStore::open(uri);
    std::map<std::uint64_t, std::uint64_t> events_of;
    std::map<std::string, std::uint64_t> versions;
    std::uint64_t position = 0;
    bool dense = true;
    for (const EventView event : store.read_all()) {
        dense = dense && event.position() == Position{++position};
        dense = dense && event.version() == Version{++versions[std::string(event.stream())]};
        ++events_of[number_in(event)];
    }
    CHECK_MESSAGE(dense, "positions and versions have no holes");
    bool whole = true;
    for (const auto& [number, events] : events_of) whole = whole && events == unit_events;
    CHECK_MESSAGE(whole, "all events of a transaction or none");
    std::size_t missing = 0;
    for (const std::uint64_t number : acknowledged) missing += 1 - events_of.count(number);
    CHECK_MESSAGE(missing == 0, "every acknowledged append is there");
}

}  // namespace

TEST_CASE("what two killed processes have acknowledged is stored after each of many kills") {
    const StoreLocation location;
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random{seed};
    std::set<std::uint64_t> acknowledged;
    std::uint64_t next_number = 1;
    // To open a store on a server takes longer than to open a file.
    const int kills = on_postgres() ? 60 : 120;
    const int life_min = on_postgres() ? 400'000 : 40'000;
    int life_max = life_min;
    for (int round = 0; round < kills; ++round) {
        std::array<std::unique_ptr<ChildProcess>, children_count> children;
        for (auto& child : children) {
            const std::uint64_t first = next_number;
            next_number += 1'000'000;
            child = std::make_unique<ChildProcess>([&](const ChildProcess::Report& report) {
                append_for_ever(location.uri(), first, report);
            });
        }
        std::this_thread::sleep_for(
            std::chrono::microseconds{std::uniform_int_distribution<int>{1'000, life_max}(random)});
        for (auto& child : children) child->kill();
        const std::size_t before = acknowledged.size();
        for (auto& child : children) {
            for (const std::uint64_t number : child->reports()) acknowledged.insert(number);
        }
        // On a busy machine the processes need more time to append anything before the kill.
        const bool got_anywhere = acknowledged.size() > before;
        life_max =
            got_anywhere ? std::max(life_max / 2, life_min) : std::min(2 * life_max, 4'000'000);
        if (round % 20 == 0) verify(location.uri(), acknowledged);
    }
    verify(location.uri(), acknowledged);
    CHECK_FALSE(acknowledged.empty());
    if (on_postgres()) return;
    SQLite::Database database{location.uri(), SQLite::OPEN_READWRITE};
    CHECK(database.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("two processes append to one store for long without a gap or an error") {
    const StoreLocation location;
    const auto append_until_done = [&](std::uint64_t first) {
        return [&, first](const ChildProcess::Report& report) {
            EventStore store = EventStore::open(location.uri());
            const auto end = std::chrono::steady_clock::now() + 10s;
            std::uint64_t stored = 0;
            for (std::uint64_t number = first;
                 stored < appends_min || std::chrono::steady_clock::now() < end; ++number) {
                const Version version = store.version("shared-1");
                const auto outcome =
                    store.try_append("shared-1", at_version(version), {numbered(number)});
                if (!std::holds_alternative<AppendResult>(outcome)) continue;
                report(number);
                ++stored;
            }
        };
    };
    ChildProcess one{append_until_done(1)};
    ChildProcess two{append_until_done(1'000'000'000)};
    std::vector<std::uint64_t> from_one;
    std::vector<std::uint64_t> from_two;
    {
        // A pipe holds 64 KiB: both have to be read while the children run.
        const std::jthread reading{[&] { from_one = one.reports(); }};
        from_two = two.reports();
    }
    CHECK(one.wait() == 0);
    CHECK(two.wait() == 0);
    std::set<std::uint64_t> acknowledged;
    acknowledged.insert(from_one.begin(), from_one.end());
    acknowledged.insert(from_two.begin(), from_two.end());
    CHECK(from_one.size() >= appends_min);
    CHECK(from_two.size() >= appends_min);

    EventStore store = EventStore::open(location.uri());
    std::uint64_t expected = 0;
    std::size_t stored = 0;
    for (const EventView event : store.read_all()) {
        CHECK(event.position() == Position{++expected});
        CHECK(event.version() == Version{expected});
        stored += acknowledged.count(number_in(event));
    }
    CHECK(stored == acknowledged.size());
    CHECK(expected == acknowledged.size());
}
