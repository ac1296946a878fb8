#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace bench {

using Stopwatch = std::chrono::steady_clock;

double seconds_since(Stopwatch::time_point start);

/// How a number came out over several rounds.
struct Spread {
    double median = 0;
    double min = 0;
    double max = 0;
};

/// `values` must not be empty.
Spread spread_of(std::vector<double> values);

/// The value that 99 of 100 do not exceed; 0 if there is none.
double p99_of(std::vector<double>& values);

}  // namespace bench
