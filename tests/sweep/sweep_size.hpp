#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace daybook::test {

/// How large a sweep is: the number in an environment variable, or a small one for every day.
inline std::uint64_t sweep_size(const char* variable, std::uint64_t small) {
    const char* const given = std::getenv(variable);
    return given == nullptr ? small : std::stoull(given);
}

/// DAYBOOK_SWEEP_SEED, or another one each time.
inline std::uint64_t sweep_seed() {
    return sweep_size("DAYBOOK_SWEEP_SEED", std::random_device{}());
}

/// `2/8` in an environment variable is the second of eight parts; anything else is all of it.
struct SweepPart {
    std::size_t part = 1;
    std::size_t parts = 1;
};
inline SweepPart sweep_part(const char* variable) {
    const char* const given = std::getenv(variable);
    const std::string text = given == nullptr ? "" : given;
    const std::size_t slash = text.find('/');
    if (slash == std::string::npos) return {};
    return {std::stoull(text.substr(0, slash)), std::stoull(text.substr(slash + 1))};
}

}  // namespace daybook::test
