#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <daybook/core/stream_name.hpp>
#include <daybook/eventstore/event_store.hpp>

#include "floor_log.hpp"
#include "postgres_floor.hpp"
#include "postgres_server.hpp"
#include "sample.hpp"
#include "scratch.hpp"

namespace bench {

/// A Daybook store for the cases that read: every stream holds 1,000 events, in runs of five
/// between those of all other streams.
class DaybookLog {
public:
    static constexpr std::size_t events_per_stream = 1000;

    const std::size_t streams;
    daybook::EventStore store;
    const Sample sample{};
    std::vector<daybook::StreamName> names;
    /// The same names as the floor takes them.
    std::vector<const char*> keys;
    /// What the events of each stream, and of all streams, add up to.
    std::vector<std::int64_t> cents;
    std::int64_t cents_in_all = 0;

    std::size_t events() const noexcept { return streams * events_per_stream; }

protected:
    DaybookLog(std::size_t stream_count, const std::string& uri);

    /// Appends the events here and, with `append`, to a floor.
    void fill(const std::function<void(std::span<const floor_event>)>& append);

private:
    struct Run {
        std::size_t stream;
        std::size_t first_event;
    };
    std::vector<floor_event> raw(std::span<const Run> runs, std::vector<std::uint64_t> versions);
    void append(std::span<const Run> runs, std::vector<std::uint64_t>& versions);
    void check();
};

/// With the same events in a floor's log.
class LogStores : public DaybookLog {
public:
    LogStores(const Scratch& scratch, bool quick);

    FloorLog floor;
    /// Where this run's other files go.
    const Scratch& scratch;
};

/// The same on PostgreSQL.
class PostgresLogStores : public DaybookLog {
public:
    PostgresLogStores(const PostgresServer& server, bool quick);

    PostgresFloor floor;
};

}  // namespace bench
