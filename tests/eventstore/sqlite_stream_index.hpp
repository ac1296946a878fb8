#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/sqlite/stream_index.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

namespace daybook::test {

/// How many runs each level of the index holds, oldest level first.
inline std::array<std::int64_t, sqlite::stream_levels.size()> runs_in_levels(
    const EventStore& store) {
    std::array<std::int64_t, sqlite::stream_levels.size()> runs{};
    store.query([&](Sql& sql) {
        for (std::size_t level = 0; level < runs.size(); ++level) {
            sql.each("SELECT count(*) FROM " + std::string(sqlite::stream_levels[level]),
                     [&](const SqlRow& row) { runs[level] = row.integer(0); });
        }
    });
    return runs;
}

inline std::vector<std::uint64_t> positions_of(EventRange range) {
    std::vector<std::uint64_t> positions;
    for (const EventView event : range) positions.push_back(event.position().value());
    return positions;
}

/// Checks that every stream, read forward and backward, holds exactly its events in the log.
inline void check_streams(const EventStore& store) {
    std::map<std::string, std::vector<std::uint64_t>> streams;
    bool dense = true;
    for (const EventView event : store.read_all()) {
        auto& positions = streams[std::string(event.stream())];
        positions.push_back(event.position().value());
        dense = dense && event.version() == Version{positions.size()};
    }
    CHECK(dense);
    bool forward = true;
    bool backward = true;
    bool versions = true;
    for (auto& [name, positions] : streams) {
        forward = forward && positions_of(store.read(name)) == positions;
        versions = versions && store.version(name) == Version{positions.size()};
        std::reverse(positions.begin(), positions.end());
        backward = backward &&
                   positions_of(store.read(name, {.direction = Direction::backward})) == positions;
    }
    CHECK(forward);
    CHECK(backward);
    CHECK(versions);
}

/// Appends `count` events in one transaction, each to a random stream.
inline void scatter(EventStore& store, std::mt19937& random, int count, unsigned streams) {
    store.transact([&](Transaction& tx) {
        for (int i = 0; i < count; ++i) {
            tx.append("thing-" + std::to_string(random() % streams), any_version, {numbered(1)});
        }
    });
}

/// Appends so many events that every level of the index has rows.
inline void fill_levels(EventStore& store, std::mt19937& random, unsigned streams) {
    for (int transaction = 0; transaction < 36; ++transaction)
        scatter(store, random, 1000, streams);
}

}  // namespace daybook::test
