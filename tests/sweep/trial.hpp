#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "judge.hpp"
#include "memory_disk.hpp"
#include "world.hpp"

namespace daybook::test {

/// Something that a program does while its disk or its memory fails.
struct Scenario {
    const char* name;
    enum class Start : std::uint8_t {
        nothing,  ///< an empty disk
        closed,   ///< a store that was closed
        crashed,  ///< one whose program was killed
        open,     ///< a store that is open
    } start;
    std::function<void(World&)> prepare;  ///< before anything fails
    std::function<void(World&)> run;
};

std::span<const Scenario> scenarios();

/// Runs scenarios on a disk in memory, each time from the same stores, and judges what callers
/// heard, what is there, and whether the same process goes on.
class Trial {
public:
    Trial();

    /// Runs `scenario` between `harm` and `heal`. `loses_power` asks in addition what is left if
    /// the power goes right after it.
    Violations run(const Scenario& scenario, const std::function<void()>& harm,
                   const std::function<void()>& heal, bool loses_power = false);

    MemoryDisk& disk() { return *disk_; }

    /// For the negative control: one verdict is made false before it is judged.
    bool falsifies_verdicts = false;

private:
    void begin(const Scenario& scenario);
    void judge_errors(std::size_t first_failure);
    void go_on();
    void lose_power(const History& history);
    void blame(const Violations& found, const char* where);

    std::unique_ptr<MemoryDisk> disk_;
    DiskImage closed_;
    DiskImage crashed_;
    History history_;
    std::unique_ptr<World> world_;
    Violations violations_;
};

}  // namespace daybook::test
