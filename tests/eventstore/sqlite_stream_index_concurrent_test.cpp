#include <atomic>
#include <thread>

#include "sqlite_stream_index.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_SUITE_BEGIN("sqlite concurrent");

TEST_CASE("concurrent: a reader between two merges sees every event of a stream once") {
    constexpr unsigned streams = 20;
    const StoreLocation location;
    EventStore store = location.open({.durability = Durability::off});
    std::mt19937 random{7};
    fill_levels(store, random, streams);

    std::atomic<bool> stop{false};
    std::atomic<bool> good{true};
    std::atomic<int> reads{0};
    const auto read = [&](EventStore reader, unsigned seed) {
        std::mt19937 choose{seed};
        while (!stop) {
            const StreamName stream{"thing-" + std::to_string(choose() % streams)};
            const bool forward = choose() % 2 == 0;
            const Version known = reader.version(stream);
            // A run over the border between the levels: the newest are in all of them.
            const std::uint64_t from = known.value() - choose() % 1500;
            Version next = from;
            bool dense = true;
            const StreamRead options{
                .from = from, .direction = forward ? Direction::forward : Direction::backward};
            for (const EventView event : reader.read(stream, options)) {
                dense = dense && event.version() == next;
                next = forward ? next.next() : Version{next.value() - 1};
            }
            const bool whole = forward ? next > known : next == Version{0};
            if (!dense || !whole) good = false;
            ++reads;
        }
    };
    {
        const std::jthread same_handle{read, store, 1};
        const std::jthread other_handle{read, location.open(), 2};
        for (int transaction = 0; transaction < 300; ++transaction)
            scatter(store, random, 100, streams);
        stop = true;
    }
    CHECK(good);
    CHECK(reads > 10);
    check_streams(store);
}

TEST_SUITE_END();
