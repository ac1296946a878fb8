#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

// A caller that gets no result for a while sends its append again, and both may be committed
// together.

using namespace daybook;
using namespace daybook::test;

namespace {

using Futures = std::vector<std::future<AppendResult>>;

std::vector<NewEvent> events(std::size_t count) {
    std::vector<NewEvent> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back(numbered(i));
    return made;
}

/// Runs `add`, whose appends form one group, because they wait while a large append is stored.
void in_one_group(EventStore& store, const std::function<void(Futures&)>& add) {
    Futures futures;
    auto ahead =
        store.append_async("ahead-" + EventId::generate().to_string(), any_version, events(300));
    add(futures);
    ahead.get();
    for (auto& future : futures) future.wait();
}

}  // namespace

TEST_CASE(
    "an exact repeat that is committed together with its first gets the first's result [A3]") {
    const StoreLocation location;
    EventStore store = location.open();
    int round = 0;
    for (const std::size_t count : {1, 2, 5}) {
        for (const bool exists : {false, true}) {
            for (const bool names_version : {false, true}) {
                CAPTURE(count);
                CAPTURE(exists);
                CAPTURE(names_version);
                const std::string stream = "thing-" + std::to_string(++round);
                const Version before =
                    exists ? store.append(stream, any_version, events(3)).version : Version{};
                const ExpectedVersion expected = names_version ? at_version(before) : any_version;
                const auto repeated = events(count);
                Futures futures;
                in_one_group(store, [&](Futures& all) {
                    for (int i = 0; i < 4; ++i) {
                        all.push_back(store.append_async(stream, expected, repeated));
                        all.push_back(store.append_async("other-1", any_version, {numbered(7)}));
                    }
                    futures.swap(all);
                });
                const Version reached{before.value() + count};
                int stored = 0;
                std::vector<Position> positions;
                for (std::size_t i = 0; i < futures.size(); i += 2) {
                    const AppendResult result = futures[i].get();
                    CHECK(result.version == reached);
                    positions.push_back(result.position);
                    stored += result.repeated ? 0 : 1;
                    CHECK_FALSE(futures[i + 1].get().repeated);
                }
                CHECK(stored == 1);
                for (const Position position : positions) CHECK(position == positions.front());
                CHECK(store.version(stream) == reached);
            }
        }
    }
}

TEST_CASE("a partial repeat that is committed together with its first is refused alone [A3]") {
    const StoreLocation location;
    EventStore store = location.open();
    const auto first = events(2);
    std::vector<NewEvent> overlapping{first[1], numbered(9)};
    std::vector<NewEvent> other_content{first[0]};
    other_content.front().data = "{\"n\":99}";
    Futures futures;
    in_one_group(store, [&](Futures& all) {
        all.push_back(store.append_async("thing-1", no_stream, first));
        all.push_back(store.append_async("thing-1", any_version, overlapping));
        all.push_back(store.append_async("thing-2", any_version, {numbered(5)}));
        all.push_back(store.append_async("thing-3", any_version, other_content));
        all.push_back(store.append_async("thing-1", no_stream, first));
        futures.swap(all);
    });
    CHECK_FALSE(futures[0].get().repeated);
    CHECK_THROWS_AS(futures[1].get(), DuplicateError);
    CHECK_FALSE(futures[2].get().repeated);
    CHECK_THROWS_AS(futures[3].get(), DuplicateError);
    CHECK(futures[4].get().repeated);
    CHECK(store.version("thing-1") == Version{2});
    CHECK(store.version("thing-3") == Version{0});
}

TEST_CASE("an append that holds an id twice is a duplicate and not in doubt [A3]") {
    const StoreLocation location;
    EventStore store = location.open();
    const NewEvent twice = numbered(1);
    CHECK_THROWS_AS(store.append("thing-1", any_version, {twice, numbered(2), twice}),
                    DuplicateError);
    CHECK_THROWS_AS(
        store.transact([&](Transaction& tx) { tx.append("thing-1", any_version, {twice, twice}); }),
        DuplicateError);
    CHECK(store.head() == Position{0});
    CHECK(store.append("thing-1", any_version, {twice}).version == Version{1});
}
