#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

// A case is several ways to do the same work and comparisons of one way with another. The ways are
// measured alternately, so that the machine's drift hits all of them alike.

namespace bench {

/// A benchmark that got a wrong result measured nothing.
class WrongResult : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throws WrongResult unless the two are equal; `what` names them.
template <class Got, class Wanted>
void check_equal(const std::string& what, const Got& got, const Wanted& wanted) {
    if (got == wanted) return;
    throw WrongResult{what + ": " + std::to_string(got) + " instead of " + std::to_string(wanted)};
}

/// The result of running a way once.
struct Measurement {
    double per_second = 0;
    double p99_us = 0;  ///< of a call; 0 where calls were not timed one by one
};

/// One way to do the work. `run` measures it once and throws WrongResult.
struct Way {
    std::string name;
    std::string unit;  ///< what is counted: `events`, `loads`
    std::function<Measurement()> run;
};

enum class Measure { rate, p99 };

struct Goal {
    enum class Sense { at_least, at_most };
    double ratio;
    Sense sense = Sense::at_least;

    bool met_by(double measured) const;
    /// What the first release must reach: 0.75 of it.
    Goal first() const;
};

/// `way` divided by `against`, both indices into the case's ways.
struct Comparison {
    std::string title;
    std::size_t way;
    std::size_t against;
    Measure measure = Measure::rate;
    std::optional<Goal> goal{};  ///< nothing: shown for its own sake
};

struct Case {
    std::string id;          ///< as in the list of goals: `S1`
    std::string durability;  ///< of every commit that it makes; empty if it only reads
    std::size_t rounds;
    std::vector<Way> ways{};
    std::vector<Comparison> comparisons{};
    /// Checks what all the measurements together have stored; throws WrongResult.
    std::function<void()> check{};
};

}  // namespace bench
