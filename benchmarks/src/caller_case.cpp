#include "cases.hpp"
#include "timed_calls.hpp"

namespace bench {

namespace {

// Each caller appends one event at a time to the streams that are its own.
std::size_t stream_of(std::size_t caller, std::size_t callers, std::uint64_t random) {
    return caller + callers * (random % (append_streams / callers));
}

Measurement measure_daybook(DaybookAppender& appender, std::size_t callers,
                            std::chrono::milliseconds time) {
    const auto completed =
        run_callers(callers, time, [&](std::size_t caller, std::uint64_t random) {
            appender.append_to(stream_of(caller, callers, random), random);
        });
    appender.add_events(completed.calls);
    return {completed.per_second()};
}

// One thread keeps 256 appends outstanding.
template <class Stores>
Way outstanding_way(const std::shared_ptr<Stores>& stores, std::chrono::milliseconds time) {
    return {"256 outstanding", "events",
            [=] { return Measurement{stores->daybook.keep_outstanding(256, time).per_second()}; }};
}

/// One connection of the floor for each caller.
struct FloorCallers {
    FloorCallers(const PostgresServer& server, std::size_t count) {
        const auto schema = server.schema(PostgresAppendStores::floor_schema);
        for (std::size_t i = 0; i < count; ++i)
            connections.push_back(std::make_unique<PostgresFloor>(server.uri(), schema,
                                                                  PostgresFloor::Schema::existing));
    }
    std::vector<std::unique_ptr<PostgresFloor>> connections;
};

Measurement measure_floor(FloorCallers& floor, FloorAppender<PostgresFloor>& log,
                          std::chrono::milliseconds time) {
    const auto callers = floor.connections.size();
    const auto completed =
        run_callers(callers, time, [&](std::size_t caller, std::uint64_t random) {
            floor.connections[caller]->insert(
                log.next_of(stream_of(caller, callers, random), random));
        });
    log.add_events(static_cast<std::int64_t>(completed.calls));
    return {completed.per_second()};
}

}  // namespace

Case blocking_callers(Bench& bench) {
    const auto stores = bench.append_stores();
    const std::chrono::milliseconds time{bench.quick ? 200 : 600};
    const auto way = [&](const std::string& name, std::size_t callers) {
        return Way{name, "events", [=] { return measure_daybook(stores->daybook, callers, time); }};
    };
    Case out{.id = "S7", .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {way("one caller", 1), way("64", 64), way("256", 256),
                outstanding_way(stores, time)};
    out.comparisons = {{"append, 64 blocking callers", 1, 0, Measure::rate, Goal{6.5}},
                       {"append, 256 blocking callers", 2, 0, Measure::rate, Goal{10}},
                       {"append, 256 outstanding (S6)", 3, 0, Measure::rate, Goal{15}}};
    out.check = [stores] { stores->check(); };
    return out;
}

Case postgres_callers(Bench& bench) {
    constexpr std::size_t connections = 16;
    const auto stores = bench.postgres_append_stores();
    const auto floor = std::make_shared<FloorCallers>(bench.postgres(), connections);
    const std::chrono::milliseconds time{bench.quick ? 400 : 800};
    const auto way = [&](const std::string& name, std::size_t callers) {
        return Way{name, "events", [=] { return measure_daybook(stores->daybook, callers, time); }};
    };
    Case out{.id = "P3", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    out.ways = {
        {"16 connections", "events", [=] { return measure_floor(*floor, stores->floor, time); }},
        way("16", 16),
        outstanding_way(stores, time),
        way("256", 256)};
    out.comparisons = {{"append, 16 blocking callers", 1, 0, Measure::rate, Goal{2}},
                       {"append, 256 outstanding", 2, 0, Measure::rate, Goal{5}},
                       {"append, 256 blocking callers", 3, 0}};
    out.check = [stores] { stores->check(); };
    return out;
}

}  // namespace bench
