#pragma once

#include <cstdint>
#include <vector>

#include <daybook/core/stream_name.hpp>
#include <daybook/eventstore/event_store.hpp>

#include "floor_log.hpp"
#include "sample.hpp"
#include "scratch.hpp"

namespace bench {

/// A floor's log and a store of ours with the same events: every stream holds 1,000 of them, in
/// runs of five between those of all other streams. For the cases that read.
class LogStores {
public:
    LogStores(const Scratch& scratch, bool quick);

    static constexpr std::size_t events_per_stream = 1000;

    const std::size_t streams;
    FloorLog floor;
    daybook::EventStore store;
    const Sample sample{};
    std::vector<daybook::StreamName> names;
    /// The same names as the floor takes them.
    std::vector<const char*> keys;
    /// What the events of each stream, and of all streams, add up to.
    std::vector<std::int64_t> cents;
    std::int64_t cents_in_all = 0;

    std::size_t events() const noexcept { return streams * events_per_stream; }
    /// Where this run's other files go.
    const Scratch& scratch;

private:
    struct Run {
        std::size_t stream;
        std::size_t first_event;
    };
    void fill();
    void append_to_floor(std::span<const Run> runs, std::vector<std::int64_t>& versions);
    void append_to_ours(std::span<const Run> runs, std::vector<std::uint64_t>& versions);
    void check();
};

}  // namespace bench
