#include <atomic>
#include <latch>
#include <thread>

#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

struct Caller {
    std::uint64_t done = 0;
    std::exception_ptr error;
};

// Appends one event at a time to the streams that are this caller's own, until told to stop.
void call_until(const std::atomic<bool>& stop, AppendStores& stores, std::size_t caller,
                std::size_t callers, Caller& result) {
    std::mt19937_64 random{caller};
    const auto own_streams = AppendStores::streams / callers;
    try {
        while (!stop.load(std::memory_order_relaxed)) {
            const auto stream = caller + callers * (random() % own_streams);
            const auto event = stores.sample.new_event(random());
            auto& version = stores.ours.versions[stream];
            const auto done = stores.ours.store.append(
                stores.names[stream], daybook::at_version(version), std::span{&event, 1});
            check_equal("version after an append", done.version.value(), ++version);
            ++result.done;
        }
    } catch (...) {
        result.error = std::current_exception();
    }
}

// Every caller is a thread that waits for its own append before it makes the next one.
Turn callers_turn(AppendStores& stores, std::size_t callers, std::chrono::milliseconds time) {
    std::atomic<bool> stop{false};
    std::vector<Caller> results(callers);
    std::latch ready{static_cast<std::ptrdiff_t>(callers) + 1};
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < callers; ++i) {
        threads.emplace_back([&, i] {
            ready.arrive_and_wait();
            call_until(stop, stores, i, callers, results[i]);
        });
    }
    ready.arrive_and_wait();
    const auto start = Stopwatch::now();
    std::this_thread::sleep_for(time);
    stop = true;
    threads.clear();
    // What was on its way when the time was up is counted, and so is its time.
    const double seconds = seconds_since(start);

    std::uint64_t done = 0;
    for (const auto& result : results) {
        if (result.error) std::rethrow_exception(result.error);
        done += result.done;
    }
    stores.ours.events += done;
    return {static_cast<double>(done) / seconds};
}

}  // namespace

Case blocking_callers(Bench& bench) {
    const auto stores = bench.append_stores();
    const std::chrono::milliseconds time{bench.quick ? 200 : 600};
    const auto way = [&](const std::string& name, std::size_t callers) {
        return Way{name, "events", [=] { return callers_turn(*stores, callers, time); }};
    };
    Case out{.id = "S7", .durability = "FULL", .rounds = bench.rounds()};
    out.ways = {way("one caller", 1), way("64", 64), way("256", 256)};
    out.figures = {{"append, 64 blocking callers", 1, 0, Measure::rate, Goal{6.5}},
                   {"append, 256 blocking callers", 2, 0, Measure::rate, Goal{10}}};
    out.check = [stores] { stores->check(); };
    return out;
}

}  // namespace bench
