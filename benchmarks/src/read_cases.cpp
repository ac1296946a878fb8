#include <thread>

#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

// What a reader of ours saw of the log, or of a part of it.
struct Seen {
    std::int64_t events = 0;
    std::int64_t versions = 0;
    std::int64_t bytes = 0;
    std::int64_t cents = 0;

    void add(const Seen& other) {
        events += other.events;
        versions += other.versions;
        bytes += other.bytes;
        cents += other.cents;
    }
};

struct Part {
    std::uint64_t from = 1;
    std::uint64_t events;
};

Seen see_views(const LogStores& logs, const Part& part) {
    Seen seen;
    std::size_t names = 0;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++seen.events;
        seen.versions += static_cast<std::int64_t>(event.version().value());
        seen.bytes += static_cast<std::int64_t>(event.data().size());
        names += event.stream().size() + event.type().size();
    }
    if (names == 0) throw WrongResult{"views: no names"};
    return seen;
}

Seen see_decoded(const LogStores& logs, const Part& part) {
    Seen seen;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++seen.events;
        seen.versions += static_cast<std::int64_t>(event.version().value());
        seen.cents += event.as<Booked>().cents;
    }
    return seen;
}

Seen see_decoded_by_two(const LogStores& logs) {
    const auto half = logs.events() / 2;
    Seen first;
    Seen second;
    std::exception_ptr error;
    {
        const std::jthread other{[&] {
            try {
                second = see_decoded(logs, {half + 1, logs.events() - half});
            } catch (...) {
                error = std::current_exception();
            }
        }};
        first = see_decoded(logs, {1, half});
    }
    if (error) std::rethrow_exception(error);
    first.add(second);
    return first;
}

std::int64_t versions_in_all(const LogStores& logs) {
    const auto per_stream = LogStores::events_per_stream * (LogStores::events_per_stream + 1) / 2;
    return static_cast<std::int64_t>(logs.streams * per_stream);
}

Turn read_turn(const LogStores& logs, const std::function<Seen()>& look) {
    const auto start = Stopwatch::now();
    const Seen seen = look();
    const double seconds = seconds_since(start);
    const auto events = static_cast<std::int64_t>(logs.events());
    check_equal("events seen", seen.events, events);
    check_equal("sum of the versions", seen.versions, versions_in_all(logs));
    if (seen.bytes == 0) check_equal("sum of the cents", seen.cents, logs.cents_in_all);
    if (seen.cents == 0)
        check_equal("bytes seen", seen.bytes,
                    events * static_cast<std::int64_t>(Sample::payload_bytes));
    return {static_cast<double>(events) / seconds};
}

}  // namespace

Case read_log(Bench& bench) {
    const auto logs = bench.log_stores();
    const auto way = [&](const std::string& name, std::function<Seen(LogStores&)> look) {
        return Way{name, "events", [=] { return read_turn(*logs, [&] { return look(*logs); }); }};
    };
    Case out{.id = "S10", .durability = "", .rounds = bench.rounds()};
    out.ways = {way("floor",
                    [](LogStores& all) {
                        const auto sum = all.floor.read_all();
                        return Seen{sum.events, sum.versions, sum.bytes, 0};
                    }),
                way("slim floor",
                    [](LogStores& all) {
                        const auto sum = all.floor.read_slim();
                        return Seen{sum.events, sum.versions, sum.bytes, 0};
                    }),
                way("views", [](LogStores& all) { return see_views(all, {1, all.events()}); }),
                way("decoded", [](LogStores& all) { return see_decoded(all, {1, all.events()}); }),
                way("two threads", see_decoded_by_two)};
    out.figures = {{"read the whole log, views", 2, 0, Measure::rate, Goal{0.90}},
                   {"… against five columns of the floor", 2, 1},
                   {"… decoded, one thread", 3, 0, Measure::rate, Goal{0.50}},
                   {"… decoded, two threads", 4, 0, Measure::rate, Goal{0.80}}};
    return out;
}

}  // namespace bench
