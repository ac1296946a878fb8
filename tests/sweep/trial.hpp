#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "judge.hpp"
#include "memory_disk.hpp"
#include "workload.hpp"

namespace daybook::test {

/// A part of the workload that runs while the disk or the memory fails.
struct Scenario {
    const char* name;
    enum class Start : std::uint8_t {
        nothing,  ///< an empty disk
        closed,   ///< a store that was closed
        crashed,  ///< a store whose program was killed
        open,     ///< a store that is open
    } start;
    std::function<void(Workload&)> prepare;  ///< before anything fails
    std::function<void(Workload&)> run;
};

std::span<const Scenario> scenarios();

/// Runs scenarios on a disk in memory, each time from the same stores. Judges the results that
/// callers got, the state of the store, and whether the same process can continue.
class Trial {
public:
    Trial();

    /// Runs `scenario` between `inject` and `heal`. With `loses_power` the power goes right after
    /// it, and what is left is judged.
    Violations run(const Scenario& scenario, const std::function<void()>& inject,
                   const std::function<void()>& heal, bool loses_power = false);

    MemoryDisk& disk() { return *disk_; }

    /// For the negative control: one verdict is made false before it is judged.
    bool falsifies_verdicts = false;

private:
    void start(const Scenario& scenario);
    void judge_errors(std::size_t first_failure);
    void continue_working();
    void lose_power(const History& history);
    void add_violations(const Violations& found, const char* where);

    std::unique_ptr<MemoryDisk> disk_;
    DiskImage closed_;
    DiskImage crashed_;
    History history_;
    std::unique_ptr<Workload> workload_;
    Violations violations_;
};

}  // namespace daybook::test
