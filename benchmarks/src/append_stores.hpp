#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include <daybook/core/stream_name.hpp>
#include <daybook/eventstore/event_store.hpp>

#include "floor_log.hpp"
#include "sample.hpp"
#include "scratch.hpp"

namespace bench {

/// A floor's log and a store of ours, both with the same events in the same streams to begin with,
/// and what is known of each since. For the cases that append.
class AppendStores {
public:
    AppendStores(const Scratch& scratch, bool quick);

    static constexpr std::size_t streams = 20'000;

    struct FloorSide {
        FloorLog log;
        std::vector<std::int64_t> versions = std::vector<std::int64_t>(streams);
        std::int64_t events = 0;
        std::mt19937_64 random{11};
    };
    struct OurSide {
        daybook::EventStore store;
        std::vector<std::uint64_t> versions = std::vector<std::uint64_t>(streams);
        std::uint64_t events = 0;
        std::mt19937_64 random{11};
    };

    FloorSide floor;
    OurSide ours;
    const Sample sample{};
    const std::vector<daybook::StreamName> names;

    /// Appends `per_call` events to one random stream in one call each.
    void append_to_floor(std::size_t per_call);
    void append_to_ours(std::size_t per_call);
    /// Appends `per_call` events, each to a random stream, in one transaction each.
    void scatter_to_floor(std::size_t per_call);
    void scatter_to_ours(std::size_t per_call);

    /// Throws WrongResult unless both sides hold exactly what was appended.
    void check();

private:
    std::vector<floor_event> floor_events_;
    std::vector<daybook::NewEvent> our_events_;
};

}  // namespace bench
