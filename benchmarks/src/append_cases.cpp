#include "cases.hpp"
#include "timed_calls.hpp"

namespace bench {

namespace {

struct AppendSize {
    std::string id;
    std::size_t per_call;
    std::size_t calls;
    double goal;
};

std::string title(std::size_t per_call) {
    return "append, " + (per_call == 1 ? "1 event" : std::to_string(per_call) + " events") +
           " a call";
}

Case append_case(Bench& bench, const AppendSize& size) {
    const auto stores = bench.append_stores();
    const auto calls = bench.scaled(size.calls);
    const auto n = size.per_call;
    Case out{.id = size.id, .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {{"floor", "events",
                 [=] {
                     return timed_calls(
                         calls, n, [&] { stores->floor.log.append(stores->floor.next_of_one(n)); });
                 }},
                {"Daybook", "events",
                 [=] { return timed_calls(calls, n, [&] { stores->daybook.append(n); }); }}};
    out.comparisons = {{title(n), 1, 0, Measure::rate, Goal{size.goal}}};
    out.check = [stores] { stores->check(); };
    return out;
}

// This has no goal: every event of a transaction goes to a random stream of its own.
void add_scattered(Case& subject, Bench& bench, const AppendSize& size) {
    const auto stores = bench.append_stores();
    const auto calls = bench.scaled(size.calls);
    const auto n = size.per_call;
    subject.ways.push_back({"floor", "events", [=] {
                                return timed_calls(calls, n, [&] {
                                    stores->floor.log.append(stores->floor.next_of_many(n));
                                });
                            }});
    subject.ways.push_back({"Daybook", "events", [=] {
                                return timed_calls(calls, n, [&] { stores->daybook.scatter(n); });
                            }});
    const auto last = subject.ways.size() - 1;
    subject.comparisons.push_back({"… each to another stream (transact)", last, last - 1});
}

// Adds the floor and Daybook on PostgreSQL, and their comparison.
template <class FloorCall>
void add_postgres(Case& subject, Bench& bench, const AppendSize& size, FloorCall floor_call) {
    const auto stores = bench.postgres_append_stores();
    const auto calls = bench.scaled(size.calls);
    const auto n = size.per_call;
    const auto floor = subject.ways.size();
    subject.ways.push_back({"floor", "events", [=] {
                                return timed_calls(calls, n, [&] { floor_call(stores->floor, n); });
                            }});
    subject.ways.push_back({"Daybook", "events", [=] {
                                return timed_calls(calls, n, [&] { stores->daybook.append(n); });
                            }});
    subject.comparisons.push_back({title(n), floor + 1, floor, Measure::rate, Goal{size.goal}});
    subject.check = [stores] { stores->check(); };
}

}  // namespace

Case append_one(Bench& bench) {
    auto out = append_case(bench, {"S1", 1, 2000, 0.90});
    out.comparisons.push_back(
        {"… p99 of a call", 1, 0, Measure::p99, Goal{1.3, Goal::Sense::at_most}});
    return out;
}

Case append_ten(Bench& bench) { return append_case(bench, {"S3", 10, 1000, 0.90}); }

Case append_hundred(Bench& bench) {
    const AppendSize size{"S4", 100, 300, 1.0};
    auto out = append_case(bench, size);
    add_scattered(out, bench, size);
    return out;
}

Case postgres_append_one(Bench& bench) {
    Case out{.id = "P1", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    add_postgres(out, bench, {"P1", 1, 1000, 1.0},
                 [](auto& floor, std::size_t) { floor.log.call(floor.next()); });
    out.comparisons.push_back({"… p99 of a call", 1, 0, Measure::p99});
    return out;
}

Case postgres_append_many(Bench& bench) {
    const auto append = [](auto& floor, std::size_t n) { floor.log.append(floor.next_of_one(n)); };
    Case out{.id = "P2", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    add_postgres(out, bench, {"P2", 10, 800, 0.90}, append);
    add_postgres(out, bench, {"P2", 100, 300, 0.90}, append);
    return out;
}

}  // namespace bench
