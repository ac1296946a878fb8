#include <thread>

#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

// What a reader saw of the log, or of a part of it: enough to tell that it was all of it.
struct Seen {
    std::int64_t events = 0;
    std::int64_t versions = 0;  ///< their sum
    std::int64_t payload = 0;   ///< bytes, or cents where it is decoded

    void add(const Seen& other) {
        events += other.events;
        versions += other.versions;
        payload += other.payload;
    }
};

struct Part {
    std::uint64_t from = 1;
    std::uint64_t events;
};

Seen see_views(const OurLog& logs, const Part& part) {
    Seen seen;
    std::size_t names = 0;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++seen.events;
        seen.versions += static_cast<std::int64_t>(event.version().value());
        seen.payload += static_cast<std::int64_t>(event.data().size());
        names += event.stream().size() + event.type().size();
    }
    if (names == 0) throw WrongResult{"views: no names"};
    return seen;
}

Seen see_decoded(const OurLog& logs, const Part& part) {
    Seen seen;
    for (const daybook::EventView event :
         logs.store.read_all({.from = part.from, .limit = part.events})) {
        ++seen.events;
        seen.versions += static_cast<std::int64_t>(event.version().value());
        seen.payload += event.as<Booked>().cents;
    }
    return seen;
}

Seen see_decoded_by_two(const OurLog& logs) {
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

std::int64_t versions_in_all(const OurLog& logs) {
    const auto per_stream = OurLog::events_per_stream * (OurLog::events_per_stream + 1) / 2;
    return static_cast<std::int64_t>(logs.streams * per_stream);
}

Seen seen_of(const floor_sum& sum) { return {sum.events, sum.versions, sum.bytes}; }

template <class Look>
Turn read_turn(const OurLog& logs, std::int64_t payload, Look look) {
    const auto start = Stopwatch::now();
    const Seen seen = look();
    const double seconds = seconds_since(start);
    check_equal("events seen", seen.events, static_cast<std::int64_t>(logs.events()));
    check_equal("sum of the versions", seen.versions, versions_in_all(logs));
    check_equal("sum over the payloads", seen.payload, payload);
    return {static_cast<double>(seen.events) / seconds};
}

}  // namespace

Case read_log(Bench& bench) {
    const auto logs = bench.log_stores();
    const Part all{1, logs->events()};
    const auto bytes = static_cast<std::int64_t>(logs->events() * Sample::payload_bytes);
    const auto way = [&](const std::string& name, std::int64_t payload, auto look) {
        return Way{name, "events", [=] { return read_turn(*logs, payload, look); }};
    };
    Case out{.id = "S10", .durability = "", .rounds = bench.rounds()};
    out.ways = {way("floor", bytes, [=] { return seen_of(logs->floor.read_all()); }),
                way("slim floor", bytes, [=] { return seen_of(logs->floor.read_slim()); }),
                way("views", bytes, [=] { return see_views(*logs, all); }),
                way("decoded", logs->cents_in_all, [=] { return see_decoded(*logs, all); }),
                way("two threads", logs->cents_in_all, [=] { return see_decoded_by_two(*logs); })};
    out.figures = {{"read the whole log, views", 2, 0, Measure::rate, Goal{0.90}},
                   {"… against five columns of the floor", 2, 1},
                   {"… decoded, one thread", 3, 0, Measure::rate, Goal{0.50}},
                   {"… decoded, two threads", 4, 0, Measure::rate, Goal{0.80}}};
    return out;
}

Case postgres_read_log(Bench& bench) {
    const auto logs = bench.postgres_log_stores();
    const Part all{1, logs->events()};
    const auto bytes = static_cast<std::int64_t>(logs->events() * Sample::payload_bytes);
    const auto way = [&](const std::string& name, std::int64_t payload, auto look) {
        return Way{name, "events", [=] { return read_turn(*logs, payload, look); }};
    };
    Case out{.id = "P5", .durability = "", .rounds = bench.rounds()};
    out.ways = {way("floor", bytes, [=] { return seen_of(logs->floor.read_all()); }),
                way("views", bytes, [=] { return see_views(*logs, all); }),
                way("decoded", logs->cents_in_all, [=] { return see_decoded(*logs, all); })};
    out.figures = {{"read the whole log, views", 1, 0, Measure::rate, Goal{1.5}},
                   {"… decoded", 2, 0, Measure::rate, Goal{1.2}}};
    return out;
}

}  // namespace bench
