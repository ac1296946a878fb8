#include "runner.hpp"

namespace bench {

namespace {

double value_of(const Measurement& measurement, Measure measure) {
    return measure == Measure::rate ? measurement.per_second : measurement.p99_us;
}

// By way, then by round.
using Measurements = std::vector<std::vector<Measurement>>;

void take_round(const Case& subject, std::size_t round, Measurements* measurements) {
    const auto count = subject.ways.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto way = round % 2 == 0 ? i : count - 1 - i;
        const Measurement measurement = subject.ways[way].run();
        if (measurements != nullptr) (*measurements)[way].push_back(measurement);
    }
}

Measured measure(const Case& subject, const Comparison& comparison,
                 const Measurements& measurements) {
    std::vector<double> values;
    std::vector<double> against;
    std::vector<double> ratios;
    for (std::size_t round = 0; round < subject.rounds; ++round) {
        values.push_back(value_of(measurements[comparison.way][round], comparison.measure));
        against.push_back(value_of(measurements[comparison.against][round], comparison.measure));
        ratios.push_back(values.back() / against.back());
    }
    Measured out{.id = subject.id, .durability = subject.durability, .comparison = comparison};
    out.unit = comparison.measure == Measure::p99 ? "us" : subject.ways[comparison.way].unit + "/s";
    out.value = spread_of(std::move(values)).median;
    out.against_value = spread_of(std::move(against)).median;
    out.against_name = subject.ways[comparison.against].name;
    out.ratio = spread_of(std::move(ratios));
    out.rounds = subject.rounds;
    return out;
}

}  // namespace

bool Goal::met_by(double measured) const {
    return sense == Sense::at_least ? measured >= ratio : measured <= ratio;
}

Goal Goal::first() const {
    constexpr double share = 0.75;
    return {sense == Sense::at_least ? ratio * share : ratio / share, sense};
}

std::vector<Measured> run(const Case& subject, const Progress& progress) {
    Measurements measurements(subject.ways.size());
    progress(subject.id + ": warming up");
    take_round(subject, 0, nullptr);
    for (std::size_t round = 0; round < subject.rounds; ++round) {
        progress(subject.id + ": round " + std::to_string(round + 1) + " of " +
                 std::to_string(subject.rounds));
        take_round(subject, round, &measurements);
    }
    if (subject.check) subject.check();

    std::vector<Measured> comparisons;
    for (const auto& comparison : subject.comparisons)
        comparisons.push_back(measure(subject, comparison, measurements));
    return comparisons;
}

}  // namespace bench
