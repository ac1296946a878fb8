#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "case.hpp"
#include "statistics.hpp"

namespace bench {

/// One turn: `calls` calls, each of them timed.
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

/// What many callers came to, each a thread that makes one call after another until the time is up.
struct Called {
    std::uint64_t calls = 0;
    double seconds = 0;

    double per_second() const { return static_cast<double>(calls) / seconds; }
};

/// `call(caller, random)` is made by threads; `random` is a number of its own.
Called run_callers(std::size_t callers, std::chrono::milliseconds time,
                   const std::function<void(std::size_t caller, std::uint64_t random)>& call);

}  // namespace bench
