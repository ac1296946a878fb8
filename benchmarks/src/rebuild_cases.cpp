#include <daybook/projections/projection_runner.hpp>

#include "cases.hpp"
#include "counters.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

/// The projections over a log; the SQLite and the PostgreSQL cases share them.
struct Models {
    explicit Models(std::shared_ptr<DaybookLog> stores) : logs(std::move(stores)) {
        runner.add(Counted{});
        runner.add(Summed{});
        runner.add(CountedBySql{});
    }

    std::shared_ptr<DaybookLog> logs;
    daybook::ProjectionRunner runner{logs->store};
};

Measurement measure_rebuild(Models& models, std::string_view name) {
    const auto start = Stopwatch::now();
    const auto result = models.runner.rebuild(name);
    const double seconds = seconds_since(start);
    check_equal("events of a rebuild", result.scanned, models.logs->events());
    return {static_cast<double>(result.scanned) / seconds};
}

void check_floor(const DaybookLog& logs, std::int64_t keys, std::int64_t events) {
    check_equal("keys of the floor", keys, static_cast<std::int64_t>(logs.streams));
    check_equal("events of the floor", events, static_cast<std::int64_t>(logs.events()));
}

Measurement measure_floor(LogStores& logs, floor_way way) {
    const auto path = logs.scratch.file("floor-rm.db");
    const auto start = Stopwatch::now();
    logs.floor.rebuild(way, path, logs.keys);
    const double seconds = seconds_since(start);
    std::int64_t keys = 0;
    std::int64_t events = 0;
    if (floor_read_counter(path.c_str(), &keys, &events) != 0)
        throw WrongResult{"the floor's read model cannot be read"};
    check_floor(logs, keys, events);
    return {static_cast<double>(logs.events()) / seconds};
}

Measurement measure_floor(PostgresLogStores& logs, pg_floor_way way) {
    const auto start = Stopwatch::now();
    logs.floor.rebuild(way, logs.keys);
    const double seconds = seconds_since(start);
    std::int64_t keys = 0;
    std::int64_t events = 0;
    logs.floor.read_counter(keys, events);
    check_floor(logs, keys, events);
    return {static_cast<double>(logs.events()) / seconds};
}

// Every key with its events, and with its sum where `cents` is a column.
void check_rows(const Models& models, const std::string& name, const std::string& cents) {
    const auto& logs = *models.logs;
    const std::string select = "SELECT events, " + cents + " FROM " + name + " WHERE key = ?";
    models.runner.query(name, [&](daybook::Sql& sql) {
        const auto rows = sql.integer("SELECT count(*) FROM " + name);
        check_equal("keys of " + name, rows.value_or(0), static_cast<std::int64_t>(logs.streams));
        for (std::size_t i = 0; i < logs.streams; ++i) {
            const auto check_row = [&](const daybook::SqlRow& row) {
                check_equal(name + " events of " + logs.keys[i], row.integer(0),
                            static_cast<std::int64_t>(DaybookLog::events_per_stream));
                if (cents != "0") check_equal(name + " cents", row.integer(1), logs.cents[i]);
            };
            check_equal("rows of a key", sql.each(select, check_row, logs.names[i].str()), 1);
        }
    });
}

constexpr const char* durability = "synced at the end";

}  // namespace

Case rebuild_counter(Bench& bench) {
    const auto logs = bench.log_stores();
    const auto models = std::make_shared<Models>(logs);
    const auto rebuild_floor = [=](floor_way way) { return measure_floor(*logs, way); };
    const auto rebuild = [=](std::string_view name) { return measure_rebuild(*models, name); };
    Case out{.id = "S11", .durability = durability, .rounds = bench.rounds()};
    out.ways = {{"floor", "events", [=] { return rebuild_floor(floor_fold); }},
                {"key-only floor", "events", [=] { return rebuild_floor(floor_fold_key); }},
                {"counted", "events", [=] { return rebuild(Counted::name); }},
                {"summed", "events", [=] { return rebuild(Summed::name); }}};
    out.comparisons = {{"rebuild a counter per key", 2, 0, Measure::rate, Goal{0.80}},
                       {"… against one column of the floor", 2, 1},
                       {"… payload decoded", 3, 0, Measure::rate, Goal{0.50}}};
    out.check = [=] {
        check_rows(*models, "counted", "0");
        check_rows(*models, "summed", "cents");
    };
    return out;
}

Case rebuild_by_sql(Bench& bench) {
    const auto logs = bench.log_stores();
    const auto models = std::make_shared<Models>(logs);
    Case out{.id = "S12", .durability = durability, .rounds = bench.rounds()};
    out.ways = {
        {"floor", "events", [=] { return measure_floor(*logs, floor_upsert); }},
        {"Daybook", "events", [=] { return measure_rebuild(*models, CountedBySql::name); }}};
    out.comparisons = {{"rebuild with an upsert per event", 1, 0, Measure::rate, Goal{0.75}}};
    out.check = [=] { check_rows(*models, "counted_by_sql", "0"); };
    return out;
}

Case postgres_rebuild(Bench& bench) {
    const auto logs = bench.postgres_log_stores();
    const auto models = std::make_shared<Models>(logs);
    const auto rebuild_floor = [=](pg_floor_way way) { return measure_floor(*logs, way); };
    const auto rebuild = [=](std::string_view name) { return measure_rebuild(*models, name); };
    Case out{.id = "P6", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    out.ways = {{"floor", "events", [=] { return rebuild_floor(pg_floor_fold); }},
                {"a statement a key", "events", [=] { return rebuild_floor(pg_floor_fold_each); }},
                {"counted", "events", [=] { return rebuild(Counted::name); }},
                {"summed", "events", [=] { return rebuild(Summed::name); }}};
    out.comparisons = {{"rebuild a counter per key", 2, 0, Measure::rate, Goal{1.2}},
                       {"… against a loop with a statement a key", 2, 1},
                       {"… payload decoded", 3, 0}};
    out.check = [=] {
        check_rows(*models, "counted", "0");
        check_rows(*models, "summed", "cents");
    };
    return out;
}

}  // namespace bench
