#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

std::string stream_of(std::size_t index) { return "thing-" + std::to_string(index); }

}  // namespace

TEST_CASE("outstanding appends of one thread are stored in its order in each stream [C15]") {
    const StoreLocation location;
    EventStore store = location.open();
    constexpr std::size_t streams = 20;
    constexpr std::size_t appends = 600;
    std::vector<std::future<AppendResult>> outstanding;
    for (std::size_t i = 0; i < appends; ++i) {
        // Every third stream with its expected version, the others with any.
        const auto expected = i % streams % 3 == 0 ? at_version(i / streams) : any_version;
        const char* const type = i % 7 == 0 ? "thing.counted" : "thing.seen";
        outstanding.push_back(
            store.append_async(stream_of(i % streams), expected, {numbered(i, type)}));
    }
    std::map<std::uint64_t, bool> positions;
    for (std::size_t i = 0; i < appends; ++i) {
        const AppendResult stored = outstanding[i].get();
        CHECK(stored.version == Version{i / streams + 1});
        CHECK_FALSE(stored.repeated);
        positions[stored.position.value()] = true;
    }
    CHECK(positions.size() == appends);
    CHECK(positions.rbegin()->first == appends);
    for (std::size_t stream = 0; stream < streams; ++stream) {
        std::size_t next = stream;
        for (const EventView event : store.read(stream_of(stream))) {
            CHECK(event.data() == numbered(next).data);
            next += streams;
        }
        CHECK(next == stream + appends);
    }
}

TEST_CASE("each outstanding append has its own verdict") {
    const StoreLocation location;
    EventStore store = location.open();
    const NewEvent taken = numbered(0);
    store.append("taken-1", any_version, {taken});
    auto first = store.append_async("thing-1", no_stream, {numbered(1), numbered(2)});
    auto refused = store.append_async("thing-1", at_version(7), {numbered(3)});
    auto duplicate = store.append_async("thing-2", any_version, {numbered(4), taken});
    auto repeated = store.append_async("taken-1", no_stream, {taken});
    auto last = store.append_async("thing-1", at_version(2), {numbered(5)});
    CHECK_THROWS_AS(store.append_async("thing-3", any_version, {}), InvalidError);

    CHECK(first.get().version == Version{2});
    try {
        refused.get();
        FAIL("a conflict is an exception of its future");
    } catch (const ConflictError& conflict) {
        CHECK(conflict.expected() == at_version(7));
    }
    CHECK_THROWS_AS(duplicate.get(), DuplicateError);
    CHECK(repeated.get().repeated);
    CHECK(last.get().version == Version{3});
    CHECK(store.head() == Position{4});
}

TEST_CASE(
    "a new append of a group is not reported as a repeat because another one repeats old ids") {
    const StoreLocation location;
    EventStore store = location.open();
    const std::vector<NewEvent> old{numbered(0), numbered(1)};
    store.append("old-1", any_version, old);
    std::vector<std::future<AppendResult>> outstanding;
    const auto append_all = [&] {
        outstanding.push_back(store.append_async("new-1", any_version, {numbered(2)}));
        outstanding.push_back(store.append_async("old-1", at_version(7), {numbered(3), old[1]}));
        outstanding.push_back(store.append_async("old-1", at_version(7), old));
        outstanding.push_back(store.append_async("new-2", no_stream, {numbered(4), numbered(5)}));
    };
    // Nothing is stored before the transaction is, so all of them are one group.
    store.transact([&](Transaction&) { std::thread{append_all}.join(); });
    CHECK_FALSE(outstanding[0].get().repeated);
    CHECK_THROWS_AS(outstanding[1].get(), DuplicateError);
    CHECK(outstanding[2].get().repeated);
    CHECK_FALSE(outstanding[3].get().repeated);
    CHECK(store.head() == Position{5});
}

TEST_CASE("outstanding appends are stored though the last handle is destroyed") {
    const StoreLocation location;
    std::vector<std::future<AppendResult>> outstanding;
    {
        EventStore store = location.open();
        for (std::size_t i = 0; i < 200; ++i) {
            outstanding.push_back(store.append_async(stream_of(i), no_stream, {numbered(i)}));
        }
    }
    for (auto& append : outstanding) CHECK(append.get().version == Version{1});
    CHECK(location.open().head() == Position{200});
}

TEST_CASE("a caller with more appends than may be outstanding waits and loses none") {
    const StoreLocation location;
    EventStore store = location.open();
    constexpr std::size_t appends = 10'000;
    for (std::size_t i = 0; i < appends; ++i) {
        // The result is ignored.
        store.append_async(stream_of(i % 100), any_version, {numbered(i)});
    }
    store.append("last-1", any_version, {numbered(0)});
    CHECK(store.head() == Position{appends + 1});
}

TEST_CASE("an asynchronous append inside a transaction is refused") {
    const StoreLocation location;
    EventStore store = location.open();
    CHECK_THROWS_AS(store.transact([&](Transaction&) {
        store.append_async("thing-1", any_version, {numbered(1)});
    }),
                    InvalidError);
    CHECK(store.head() == Position{0});
}

TEST_CASE("concurrent: outstanding appends, waiting ones, transactions and hooks share one queue") {
    const StoreLocation location;
    EventStore store = location.open();
    std::atomic<int> hooked{0};
    constexpr std::size_t threads = 9;
    constexpr std::size_t rounds = 40;
    const auto work = [&](std::size_t index) {
        std::vector<std::future<AppendResult>> outstanding;
        for (std::size_t i = 0; i < rounds; ++i) {
            const std::string stream = stream_of(index);
            if (index % 3 == 0) store.append(stream, at_version(i), {numbered(i)});
            if (index % 3 == 1) {
                store.transact(
                    [&](Transaction& tx) { tx.append(stream, at_version(i), {numbered(i)}); });
            }
            if (index % 3 == 2) {
                outstanding.push_back(store.append_async(stream, at_version(i), {numbered(i)}));
            }
        }
        for (auto& append : outstanding) append.get();
    };
    for (const bool with_hook : {false, true}) {
        CAPTURE(with_hook);
        const Position before = store.head();
        const auto hook = with_hook ? store.add_commit_hook([&](Transaction&) { ++hooked; })
                                    : std::shared_ptr<void>{};
        {
            std::vector<std::jthread> running;
            for (std::size_t index = 0; index < threads; ++index) {
                running.emplace_back([&, index] { work(index + (with_hook ? threads : 0)); });
            }
        }
        CHECK(store.head() == Position{before.value() + threads * rounds});
    }
    CHECK(hooked == threads * rounds);
}
