#include <random>
#include <string>

#include <doctest/doctest.h>

#include "sweep_size.hpp"
#include "trial.hpp"

// The disk takes only so many bytes more: none, a sector, two sectors, and so on until a scenario
// ends without having met the limit. Then there is space again and the same process continues.
// DAYBOOK_SWEEP_EVERY_SIZE=1 tries every size, otherwise some are drawn; 2/8 is the second of eight
// parts of the scenarios.

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr std::size_t sector_bytes = 512;

class FullDiskSweep {
public:
    /// Returns whether the limit was met.
    bool attempt(const Scenario& scenario, std::size_t bytes_left);

    Trial trial;
    std::uint64_t met = 0;
    Violations violations;
};

bool FullDiskSweep::attempt(const Scenario& scenario, std::size_t bytes_left) {
    bool was_met = false;
    MemoryDisk& disk = trial.disk();
    const auto inject = [&] { disk.limit(disk.used_bytes() + bytes_left); };
    const auto heal = [&] {
        was_met = disk.has_failed();
        disk.limit({});
    };
    const bool loses_power = bytes_left / sector_bytes % 4 == 0;
    for (const auto& violation : trial.run(scenario, inject, heal, loses_power)) {
        violations.push_back(std::string(scenario.name) + "; room for " +
                             std::to_string(bytes_left) + " bytes: " + violation);
    }
    met += was_met ? 1 : 0;
    return was_met;
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("a disk that is full at any byte loses nothing, and there is life after it [P6]") {
    const std::uint64_t seed = sweep_seed();
    std::mt19937_64 random{seed};
    FullDiskSweep sweep;
    const bool all = std::getenv("DAYBOOK_SWEEP_EVERY_SIZE") != nullptr;
    const auto [part, parts] = sweep_part("DAYBOOK_SWEEP_EVERY_SIZE");
    std::size_t number = 0;
    for (const Scenario& scenario : scenarios()) {
        if (number++ % parts != part - 1) continue;
        if (all) {
            for (std::size_t left = 0; sweep.attempt(scenario, left); left += sector_bytes) {}
        } else {
            sweep.attempt(scenario, 0);
            for (int i = 0; i < 4; ++i) sweep.attempt(scenario, random() % (1UL << random() % 18));
        }
    }
    MESSAGE("DAYBOOK_SWEEP_SEED=" << seed << ": full " << sweep.met << " times");
    CHECK(sweep.met > 0);
    CHECK_MESSAGE(sweep.violations.empty(), text_of(sweep.violations));
}

TEST_CASE("a full disk that swallows what it is given is found out [P6]") {
    FullDiskSweep sweep;
    sweep.trial.disk().lie_about_space(true);
    for (const Scenario& scenario : scenarios()) {
        if (sweep.violations.empty()) sweep.attempt(scenario, 0);
    }
    CHECK(!sweep.violations.empty());
}

TEST_SUITE_END();
