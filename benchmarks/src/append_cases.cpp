#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

// One turn: `calls` calls, each of them timed.
template <class Call>
Turn timed_calls(std::size_t calls, std::size_t events_per_call, Call call) {
    std::vector<double> seconds;
    seconds.reserve(calls);
    const auto start = Stopwatch::now();
    auto before = start;
    for (std::size_t i = 0; i < calls; ++i) {
        call();
        const auto after = Stopwatch::now();
        seconds.push_back(std::chrono::duration<double>(after - before).count());
        before = after;
    }
    const double all = seconds_since(start);
    return {static_cast<double>(calls * events_per_call) / all, p99_of(seconds) * 1e6};
}

struct AppendSize {
    std::string id;
    std::size_t per_call;
    std::size_t calls;
    double goal;
};

Case append_case(Bench& bench, const AppendSize& size) {
    const auto stores = bench.append_stores();
    const auto calls = bench.scaled(size.calls);
    const auto n = size.per_call;
    Case out{.id = size.id, .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {{"floor", "events",
                 [=] { return timed_calls(calls, n, [&] { stores->append_to_floor(n); }); }},
                {"ours", "events",
                 [=] { return timed_calls(calls, n, [&] { stores->append_to_ours(n); }); }}};
    const std::string many = n == 1 ? "1 event a call" : std::to_string(n) + " events a call";
    out.figures = {{"append, " + many, 1, 0, Measure::rate, Goal{size.goal}}};
    out.check = [stores] { stores->check(); };
    return out;
}

// Not one of the goals: every event of a transaction goes to a stream of its own choice.
void add_scattered(Case& subject, Bench& bench, const AppendSize& size) {
    const auto stores = bench.append_stores();
    const auto calls = bench.scaled(size.calls);
    const auto n = size.per_call;
    subject.ways.push_back({"floor", "events", [=] {
                                return timed_calls(calls, n, [&] { stores->scatter_to_floor(n); });
                            }});
    subject.ways.push_back({"ours", "events", [=] {
                                return timed_calls(calls, n, [&] { stores->scatter_to_ours(n); });
                            }});
    const auto last = subject.ways.size() - 1;
    subject.figures.push_back({"… each to another stream (transact)", last, last - 1});
}

}  // namespace

Case append_one(Bench& bench) {
    auto out = append_case(bench, {"S1", 1, 2000, 0.90});
    out.figures.push_back({"… p99 of a call", 1, 0, Measure::p99, Goal{1.3, Goal::Sense::at_most}});
    return out;
}

Case append_ten(Bench& bench) { return append_case(bench, {"S3", 10, 1000, 0.90}); }

Case append_hundred(Bench& bench) {
    const AppendSize size{"S4", 100, 300, 1.0};
    auto out = append_case(bench, size);
    add_scattered(out, bench, size);
    return out;
}

}  // namespace bench
