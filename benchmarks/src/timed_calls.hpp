#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "case.hpp"
#include "statistics.hpp"

namespace bench {

/// Makes `calls` calls and times each of them.
template <class Call>
Measurement timed_calls(std::size_t calls, std::size_t events_per_call, Call call) {
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

/// The calls that several threads made, one after another each, until the time was up.
struct CompletedCalls {
    std::uint64_t calls = 0;
    double seconds = 0;

    double per_second() const { return static_cast<double>(calls) / seconds; }
};

/// Starts `callers` threads that repeat `call(caller, random)`, each with its own random numbers.
CompletedCalls run_callers(
    std::size_t callers, std::chrono::milliseconds time,
    const std::function<void(std::size_t caller, std::uint64_t random)>& call);

}  // namespace bench
