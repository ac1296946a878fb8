#include <thread>

#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

// Sums over the events that were read: enough to check that none was left out.
struct Totals {
    std::int64_t events = 0;
    std::int64_t versions = 0;  ///< their sum
    std::int64_t payload = 0;   ///< bytes, or cents where it is decoded

    void add(const Totals& other) {
        events += other.events;
        versions += other.versions;
        payload += other.payload;
    }
};

struct Part {
    std::uint64_t from = 1;
    std::uint64_t events;
};

Totals read_views(const DaybookLog& logs, const Part& part) {
    Totals totals;
    std::size_t names = 0;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++totals.events;
        totals.versions += static_cast<std::int64_t>(event.version().value());
        totals.payload += static_cast<std::int64_t>(event.data().size());
        names += event.stream().size() + event.type().size();
    }
    if (names == 0) throw WrongResult{"views: no names"};
    return totals;
}

Totals read_decoded(const DaybookLog& logs, const Part& part) {
    Totals totals;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++totals.events;
        totals.versions += static_cast<std::int64_t>(event.version().value());
        totals.payload += event.as<Booked>().cents;
    }
    return totals;
}

Totals read_decoded_by_two(const DaybookLog& logs) {
    const auto half = logs.events() / 2;
    Totals first;
    Totals second;
    std::exception_ptr error;
    {
        const std::jthread other{[&] {
            try {
                second = read_decoded(logs, {half + 1, logs.events() - half});
            } catch (...) {
                error = std::current_exception();
            }
        }};
        first = read_decoded(logs, {1, half});
    }
    if (error) std::rethrow_exception(error);
    first.add(second);
    return first;
}

std::int64_t versions_in_all(const DaybookLog& logs) {
    const auto per_stream = DaybookLog::events_per_stream * (DaybookLog::events_per_stream + 1) / 2;
    return static_cast<std::int64_t>(logs.streams * per_stream);
}

Totals totals_of(const floor_sum& sum) { return {sum.events, sum.versions, sum.bytes}; }

template <class Read>
Measurement measure_read(const DaybookLog& logs, std::int64_t payload, Read read) {
    const auto start = Stopwatch::now();
    const Totals totals = read();
    const double seconds = seconds_since(start);
    check_equal("events read", totals.events, static_cast<std::int64_t>(logs.events()));
    check_equal("sum of the versions", totals.versions, versions_in_all(logs));
    check_equal("sum over the payloads", totals.payload, payload);
    return {static_cast<double>(totals.events) / seconds};
}

}  // namespace

Case read_log(Bench& bench) {
    const auto logs = bench.log_stores();
    const Part all{1, logs->events()};
    const auto bytes = static_cast<std::int64_t>(logs->events() * Sample::payload_bytes);
    const auto way = [&](const std::string& name, std::int64_t payload, auto read) {
        return Way{name, "events", [=] { return measure_read(*logs, payload, read); }};
    };
    Case out{.id = "S10", .durability = "", .rounds = bench.rounds()};
    out.ways = {way("floor", bytes, [=] { return totals_of(logs->floor.read_all()); }),
                way("slim floor", bytes, [=] { return totals_of(logs->floor.read_slim()); }),
                way("views", bytes, [=] { return read_views(*logs, all); }),
                way("decoded", logs->cents_in_all, [=] { return read_decoded(*logs, all); }),
                way("two threads", logs->cents_in_all, [=] { return read_decoded_by_two(*logs); })};
    out.comparisons = {{"read the whole log, views", 2, 0, Measure::rate, Goal{0.90}},
                       {"… against five columns of the floor", 2, 1},
                       {"… decoded, one thread", 3, 0, Measure::rate, Goal{0.50}},
                       {"… decoded, two threads", 4, 0, Measure::rate, Goal{0.80}}};
    return out;
}

Case postgres_read_log(Bench& bench) {
    const auto logs = bench.postgres_log_stores();
    const Part all{1, logs->events()};
    const auto bytes = static_cast<std::int64_t>(logs->events() * Sample::payload_bytes);
    const auto way = [&](const std::string& name, std::int64_t payload, auto read) {
        return Way{name, "events", [=] { return measure_read(*logs, payload, read); }};
    };
    Case out{.id = "P5", .durability = "", .rounds = bench.rounds()};
    out.ways = {way("floor", bytes, [=] { return totals_of(logs->floor.read_all()); }),
                way("views", bytes, [=] { return read_views(*logs, all); }),
                way("decoded", logs->cents_in_all, [=] { return read_decoded(*logs, all); })};
    out.comparisons = {{"read the whole log, views", 1, 0, Measure::rate, Goal{1.5}},
                       {"… decoded", 2, 0, Measure::rate, Goal{1.2}}};
    return out;
}

}  // namespace bench
