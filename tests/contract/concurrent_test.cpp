#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/subscription.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

/// Runs `work(index)` on `count` threads at once and waits for all.
void on_threads(int count, const std::function<void(int)>& work) {
    std::vector<std::jthread> threads;
    for (int index = 0; index < count; ++index) threads.emplace_back([&, index] { work(index); });
}

std::string stream_of(int index) { return "thing-" + std::to_string(index); }

}  // namespace

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: appends from many threads are all there without a gap") {
    const StoreLocation location;
    EventStore first = location.open();
    EventStore second = location.open();
    constexpr int threads = 16;
    constexpr int appends = 50;
    std::mutex mutex;
    std::set<std::uint64_t> positions;
    on_threads(threads, [&](int index) {
        EventStore& store = index % 2 == 0 ? first : second;
        for (int number = 0; number < appends; ++number) {
            const auto result = store.append(
                stream_of(index), at_version(static_cast<std::uint64_t>(number)), {numbered(1)});
            const std::scoped_lock lock{mutex};
            positions.insert(result.position.value());
        }
    });
    CHECK(positions.size() == threads * appends);
    CHECK(*positions.rbegin() == threads * appends);
    std::uint64_t expected = 0;
    for (const EventView event : first.read_all()) CHECK(event.position() == Position{++expected});
    CHECK(expected == threads * appends);
}

TEST_CASE("concurrent: of the appends that expect one version exactly one wins each time") {
    const StoreLocation location;
    EventStore store = location.open();
    constexpr int threads = 8;
    constexpr std::uint64_t rounds = 40;
    std::atomic<std::uint64_t> won{0};
    on_threads(threads, [&](int) {
        for (std::uint64_t version = 0; version < rounds; ++version) {
            const auto outcome = store.try_append("thing-1", at_version(version), {numbered(1)});
            if (std::holds_alternative<AppendResult>(outcome)) ++won;
        }
    });
    CHECK(won == store.version("thing-1").value());
    CHECK(won <= rounds);
    CHECK(won > 0);
}

TEST_CASE("concurrent: one refused append does not spoil the appends of its group") {
    const StoreLocation location;
    EventStore store = location.open();
    const NewEvent taken = numbered(0);
    store.append("taken-1", any_version, {taken});
    constexpr int threads = 12;
    constexpr int appends = 30;
    std::atomic<int> duplicates{0};
    on_threads(threads, [&](int index) {
        for (int number = 0; number < appends; ++number) {
            if (index % 4 == 0) {
                try {
                    store.append(stream_of(index), any_version, {numbered(1), taken});
                } catch (const DuplicateError&) {
                    ++duplicates;
                }
            } else {
                store.append(stream_of(index), any_version, {numbered(1)});
            }
        }
    });
    CHECK(duplicates == threads / 4 * appends);
    CHECK(store.head() == Position{1 + threads * 3 / 4 * appends});
}

TEST_CASE("concurrent: a reader that follows the log never meets a hole") {
    const StoreLocation location;
    EventStore store = location.open();
    constexpr std::uint64_t total = 600;
    std::jthread reader{[&] {
        std::uint64_t seen = 0;
        while (seen < total) {
            for (const EventView event : store.read_all({.from = seen + 1})) {
                CHECK(event.position() == Position{seen + 1});
                seen = event.position().value();
            }
            store.wait_beyond(seen, 1s);
        }
    }};
    on_threads(6, [&](int index) {
        for (std::uint64_t number = 0; number < total / 6; ++number) {
            if (number % 5 == 0) {
                try {
                    store.transact([&](Transaction& tx) {
                        tx.append(stream_of(index), any_version, {numbered(1), numbered(2)});
                        throw std::runtime_error("rolled back");
                    });
                } catch (const std::runtime_error&) {
                    // Its positions must not be lost.
                }
            }
            store.append(stream_of(index), any_version, {numbered(1)});
        }
    });
    reader.join();
    CHECK(store.head() == Position{total});
}

TEST_CASE("concurrent: a filter misses no first event of a type or category that is new") {
    const StoreLocation location;
    EventStore store = location.open();
    constexpr int rounds = 300;
    EventFilter by_type;
    EventFilter by_category;
    for (int round = 0; round < rounds; ++round) {
        by_type.types.push_back("thing.counted-" + std::to_string(round));
        by_category.categories.push_back("thing" + std::to_string(round));
    }
    std::atomic<int> found_by_type{0};
    std::atomic<int> found_by_category{0};
    const auto follow = [&](const EventFilter& filter, std::atomic<int>& found) {
        Follower follower{location.open(), {.filter = filter}};
        while (follower.position() < Position{rounds}) found += follower.next(1ms) ? 1 : 0;
    };
    {
        const std::jthread types{[&] { follow(by_type, found_by_type); }};
        const std::jthread categories{[&] { follow(by_category, found_by_category); }};
        for (std::size_t round = 0; round < rounds; ++round) {
            store.append(by_category.categories[round] + "-1", no_stream,
                         {numbered(1, by_type.types[round].c_str())});
        }
    }
    CHECK(found_by_type == rounds);
    CHECK(found_by_category == rounds);
}

TEST_CASE("concurrent: a wait for the log ends at a commit of another handle") {
    const StoreLocation location;
    EventStore here = location.open();
    EventStore there = location.open();
    CHECK_FALSE(here.wait_beyond(0, 20ms));
    std::jthread other{[&] {
        std::this_thread::sleep_for(30ms);
        there.append("thing-1", any_version, {numbered(1)});
    }};
    CHECK(here.wait_beyond(0, daybook::test::patience()));
    CHECK(here.head() == Position{1});
    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(here.wait_beyond(1, daybook::test::patience(), stop.get_token()));
}

TEST_CASE("concurrent: transactions and appends of several threads alternate and none is lost") {
    const StoreLocation location;
    EventStore store = location.open();
    on_threads(8, [&](int index) {
        for (int number = 0; number < 40; ++number) {
            if (index % 2 == 0) {
                store.append("shared-1", any_version, {numbered(1)});
            } else {
                store.transact([&](Transaction& tx) {
                    const Version before = tx.version("shared-1");
                    tx.append("shared-1", at_version(before), {numbered(1)});
                    tx.append(stream_of(index), any_version, {numbered(2)});
                });
            }
        }
    });
    CHECK(store.version("shared-1") == Version{320});
    CHECK(store.head() == Position{480});
}

TEST_SUITE_END();
