#include <array>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "child_process.hpp"
#include "judge.hpp"
#include "patience.hpp"
#include "sweep_size.hpp"
#include "temporary_directory.hpp"
#include "world.hpp"

// Processes append, run units, project, relay and run sagas on one file, and are killed after a
// few milliseconds; what they had reported over a pipe is compared with what is there.
// DAYBOOK_SWEEP_KILLS=5000 makes it large.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// A unit in one number, as a child reports it: when it begins, and when its verdict is known.
std::uint64_t pack(const Unit& unit) {
    return unit.number << 8 | unit.events << 4 | (unit.is_transaction ? 8U : 0U) |
           (unit.starts_trip ? 4U : 0U) | static_cast<unsigned>(unit.verdict);
}
Unit unpack(std::uint64_t report) {
    return {.number = report >> 8,
            .events = report >> 4 & 15,
            .is_transaction = (report & 8) != 0,
            .starts_trip = (report & 4) != 0,
            .verdict = static_cast<Verdict>(report & 3)};
}

/// What a kind of child does for ever.
void change(World& world, std::mt19937_64& random) {
    switch (random() % 6) {
        case 0: return world.append_group();
        case 1: return world.deposit();
        case 2: return world.start_trip();
        case 3: return world.append();
        default: return world.transact();
    }
}
void serve(World& world, std::mt19937_64& random) {
    switch (random() % 8) {
        case 0: return world.rebuild(model_names[random() % std::size(model_names)]);
        case 1:
        case 2: return world.run_sagas();
        case 3:
        case 4: return world.project();
        default: return world.relay();
    }
}

class KillSweep {
public:
    explicit KillSweep(std::uint64_t seed) : random_(seed) {}

    void run(std::uint64_t kills_max);

    /// For the negative control: children report a unit as stored before they store it.
    bool reports_too_early = false;

    std::uint64_t kills = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t stores = 0;
    Violations violations;

private:
    static constexpr int children_count = 3;
    static constexpr int rounds_of_a_store = 20;

    std::unique_ptr<ChildProcess> start(int kind);
    void kill_all(std::array<std::unique_ptr<ChildProcess>, children_count>& children);
    void run_store();
    void look(bool complete);

    std::mt19937_64 random_;
    std::unique_ptr<TemporaryDirectory> directory_;
    std::uint64_t next_unit_ = 1;
    std::map<std::uint64_t, Unit> units_;
};

std::unique_ptr<ChildProcess> KillSweep::start(int kind) {
    const std::uint64_t first = next_unit_;
    const std::uint64_t seed = random_();
    next_unit_ += 10'000;
    return std::make_unique<ChildProcess>([=, this](const ChildProcess::Report& report) {
        std::mt19937_64 random{seed};
        WorldSetup setup{.path = directory_->file("store.db"), .seed = seed};
        setup.tell = [&](Unit unit) {
            if (reports_too_early) unit.verdict = Verdict::stored;
            report(pack(unit));
        };
        setup.first_unit = first;
        setup.busy_wait_max = 10s;
        setup.relay_name = "relay-" + std::to_string(kind);
        World world{std::move(setup)};
        for (;;) kind == 0 ? serve(world, random) : change(world, random);
    });
}

void KillSweep::kill_all(std::array<std::unique_ptr<ChildProcess>, children_count>& children) {
    std::ranges::shuffle(children, random_);
    for (auto& child : children) {
        child->kill();
        ++kills;
    }
    for (auto& child : children) {
        for (const std::uint64_t report : child->reports()) {
            const Unit unit = unpack(report);
            acknowledged += unit.verdict == Verdict::stored ? 1 : 0;
            units_[unit.number] = unit;
        }
    }
}

void KillSweep::look(bool complete) {
    History history;
    for (const auto& [number, unit] : units_) history.units.push_back(unit);
    const std::string path = directory_->file("store.db");
    World world{{.path = path,
                 .history = history,
                 .first_unit = next_unit_ - history.units.size(),
                 .busy_wait_max = 10s}};
    world.open();
    if (complete) {
        // The start of a saga may wait until the lease of one who died at it has run out.
        eventually([&] {
            world.settle();
            const auto due = world.program().sagas.next_due();
            return !due || *due > world.program().store.clock().now();
        });
        world.append();
        world.transact();
        world.settle();
    }
    for (const auto& failure : world.history().failures) violations.push_back(failure.what);
    if (!world.is_open()) return;
    const auto add = [&](const Violations& found) {
        violations.insert(violations.end(), found.begin(), found.end());
    };
    add(judge(world.program().store, world.history(), everything, complete));
    add(judge_files(path));
}

void KillSweep::run_store() {
    ++stores;
    std::error_code none;
    const bool in_memory = std::filesystem::is_directory("/dev/shm", none);
    directory_ = std::make_unique<TemporaryDirectory>(
        in_memory ? std::filesystem::path{"/dev/shm"} : std::filesystem::temp_directory_path());
    units_.clear();
    for (int round = 0; round < rounds_of_a_store && violations.empty(); ++round) {
        std::array<std::unique_ptr<ChildProcess>, children_count> children;
        for (int kind = 0; kind < children_count; ++kind) {
            children[static_cast<std::size_t>(kind)] = start(kind);
        }
        // Every other time one gets through its first units; otherwise they may be opening the
        // store. A unit is reported twice: as it begins, and with its verdict.
        if (random_() % 2 == 0) children[1]->wait_for_reports(1 + random_() % 6, 10s);
        std::this_thread::sleep_for(std::chrono::microseconds{1'000 + random_() % 8'000});
        kill_all(children);
        if (round % 5 == 4) look(false);
    }
    if (violations.empty()) look(true);
}

void KillSweep::run(std::uint64_t kills_max) {
    while (kills < kills_max && violations.empty()) run_store();
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("processes that are killed at work lose nothing that they had acknowledged [P4]") {
    const std::uint64_t seed = sweep_seed();
    KillSweep sweep{seed};
    sweep.run(sweep_size("DAYBOOK_SWEEP_KILLS", 120));
    MESSAGE("DAYBOOK_SWEEP_SEED=" << seed << ": " << sweep.kills << " kills, " << sweep.acknowledged
                                  << " units acknowledged in " << sweep.stores << " stores");
    CHECK(sweep.acknowledged > 0);
    CHECK_MESSAGE(sweep.violations.empty(), text_of(sweep.violations));
}

TEST_CASE("a process that acknowledges what it has not stored is found out [P4]") {
    KillSweep sweep{sweep_seed()};
    sweep.reports_too_early = true;
    sweep.run(3'000);
    CHECK(!sweep.violations.empty());
}

TEST_SUITE_END();
