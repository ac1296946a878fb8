#include "runner.hpp"

namespace bench {

namespace {

double value_of(const Turn& turn, Measure measure) {
    return measure == Measure::rate ? turn.per_second : turn.p99_us;
}

// By way, then by round.
using Turns = std::vector<std::vector<Turn>>;

void take_round(const Case& subject, std::size_t round, Turns* turns) {
    const auto count = subject.ways.size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto way = round % 2 == 0 ? i : count - 1 - i;
        const Turn turn = subject.ways[way].run();
        if (turns != nullptr) (*turns)[way].push_back(turn);
    }
}

Measured measure(const Case& subject, const Figure& figure, const Turns& turns) {
    std::vector<double> values;
    std::vector<double> against;
    std::vector<double> ratios;
    for (std::size_t round = 0; round < subject.rounds; ++round) {
        values.push_back(value_of(turns[figure.way][round], figure.measure));
        against.push_back(value_of(turns[figure.against][round], figure.measure));
        ratios.push_back(values.back() / against.back());
    }
    Measured out{.id = subject.id, .durability = subject.durability, .figure = figure};
    out.unit = figure.measure == Measure::p99 ? "us" : subject.ways[figure.way].unit + "/s";
    out.value = spread_of(std::move(values)).median;
    out.against_value = spread_of(std::move(against)).median;
    out.against_name = subject.ways[figure.against].name;
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
    Turns turns(subject.ways.size());
    progress(subject.id + ": warming up");
    take_round(subject, 0, nullptr);
    for (std::size_t round = 0; round < subject.rounds; ++round) {
        progress(subject.id + ": round " + std::to_string(round + 1) + " of " +
                 std::to_string(subject.rounds));
        take_round(subject, round, &turns);
    }
    if (subject.check) subject.check();

    std::vector<Measured> figures;
    for (const auto& figure : subject.figures) figures.push_back(measure(subject, figure, turns));
    return figures;
}

}  // namespace bench
