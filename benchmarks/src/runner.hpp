#pragma once

#include <functional>
#include <string>
#include <vector>

#include "case.hpp"
#include "statistics.hpp"

namespace bench {

/// A comparison with its numbers.
struct Measured {
    std::string id;
    std::string durability;
    Comparison comparison;
    std::string unit{};  ///< of the two values: `events/s`, `us`
    double value = 0;    ///< medians over the rounds
    double against_value = 0;
    std::string against_name{};
    Spread ratio{};  ///< of the quotients of each round
    std::size_t rounds = 0;
};

/// Told what is going on, before each round.
using Progress = std::function<void(const std::string&)>;

/// Runs the case's rounds. A round measures every way once; every other round does so in reverse
/// order. A first round warms up and is not counted. Throws WrongResult.
std::vector<Measured> run(const Case& subject, const Progress& progress);

}  // namespace bench
