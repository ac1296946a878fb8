#include "statistics.hpp"

#include <algorithm>

namespace bench {

double seconds_since(Stopwatch::time_point start) {
    return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

Spread spread_of(std::vector<double> values) {
    std::ranges::sort(values);
    const auto middle = values.size() / 2;
    const double median =
        values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    return {median, values.front(), values.back()};
}

double p99_of(std::vector<double>& values) {
    if (values.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(values.size() * 99 / 100);
    std::ranges::nth_element(values, values.begin() + at);
    return values[static_cast<std::size_t>(at)];
}

}  // namespace bench
