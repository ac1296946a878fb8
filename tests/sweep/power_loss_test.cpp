#include "power_loss.hpp"

#include <limits>
#include <memory>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "judge.hpp"
#include "memory_disk.hpp"
#include "sweep_size.hpp"
#include "workload.hpp"

// A workload runs once on a disk that records its operations. Then the power goes after each of
// them, and what may be left is opened and judged. DAYBOOK_SWEEP_POWER_LOSSES=200000 makes it
// large: every operation of many workloads. DAYBOOK_SWEEP_SEED repeats a run.

using namespace daybook;
using namespace daybook::test;

namespace {

constexpr std::size_t steps_of_a_workload = 40;
constexpr std::uint64_t losses_of_a_small_workload = 200;
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

class PowerLossSweep {
public:
    explicit PowerLossSweep(std::uint64_t seed) : random_(seed) {}

    /// Runs until the power went so often, or a violation was found.
    void run(std::uint64_t losses_max);

    bool disk_lies = false;
    /// How many of the losses are followed by a full recovery, during which the power goes again.
    std::uint64_t recovers_one_in = 16;

    std::uint64_t workloads = 0;
    std::uint64_t operations = 0;
    std::uint64_t losses = 0;
    std::uint64_t recoveries = 0;
    Violations violations;

private:
    void run_workload();
    void lose_power(std::size_t operation, const PowerLoss& loss, const PowerLossFate& fate);
    void check(const History& history, std::size_t operation);
    void recover(const History& history, std::size_t operation);
    void add_violations(const Violations& found, const std::string& where);
    std::function<std::size_t()> now() {
        return [this] { return disk_->operations(); };
    }

    std::mt19937_64 random_;
    std::uint64_t losses_max_ = 0;
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<Workload> workload_;
};

void PowerLossSweep::add_violations(const Violations& found, const std::string& where) {
    for (const std::string& violation : found) violations.push_back(where + violation);
}

void PowerLossSweep::check(const History& history, std::size_t operation) {
    const std::string where = "after operation " + std::to_string(operation) + ": ";
    try {
        const EventStore store = EventStore::open(workload_->path());
        add_violations(judge(store, history, operation), where);
        add_violations(judge_files(workload_->path()), where);
    } catch (const std::exception& error) {
        add_violations({std::string("the store does not open: ") + error.what()}, where);
    }
}

void PowerLossSweep::recover(const History& history, std::size_t operation) {
    ++recoveries;
    disk_->record();
    Workload again{{.path = workload_->path(),
                    .seed = random_(),
                    .history = history.as_of(operation),
                    .now = now()}};
    again.open();
    again.read();
    if (disk_->image().contains(again.copy_path())) again.migrate();
    again.drain();
    again.append();
    again.transact();
    again.deposit();
    again.drain();
    const std::string where = "recovered after operation " + std::to_string(operation) + ": ";
    if (again.is_open()) {
        add_violations(judge(again.program().store, again.history(), everything, true), where);
        add_violations(judge_files(again.path()), where);
    }
    for (const auto& failure : again.history().failures) add_violations({failure.what}, where);
    again.close();

    const OperationLog log = disk_->take_log();
    PowerLoss loss{log};
    const std::size_t second = random_() % (log.operations.size() + 1);
    loss.advance_to(second);
    ++losses;
    disk_->load(loss.image(random_, {.keep_percent = 50}));
    check(again.history(), second);
}

void PowerLossSweep::lose_power(std::size_t operation, const PowerLoss& loss,
                                const PowerLossFate& fate) {
    ++losses;
    disk_->load(loss.image(random_, fate));
    if (random_() % recovers_one_in == 0) {
        recover(workload_->history(), operation);
    } else {
        check(workload_->history(), operation);
    }
}

void PowerLossSweep::run_workload() {
    ++workloads;
    workload_.reset();
    disk_.reset();  // only one disk at a time can be SQLite's default
    disk_ = std::make_unique<MemoryDisk>();
    workload_ = std::make_unique<Workload>(
        WorkloadSetup{.path = disk_->path("store.db"), .seed = random_(), .now = now()});
    disk_->lie_about_syncs(disk_lies);
    disk_->record();
    workload_->open();
    for (std::size_t step = 0; step < steps_of_a_workload; ++step) workload_->step();
    workload_->drain();
    workload_->read();
    workload_->migrate();
    workload_->close();
    disk_->lie_about_syncs(false);
    const OperationLog log = disk_->take_log();
    for (const auto& failure : workload_->history().failures)
        add_violations({failure.what}, "at first: ");
    operations += log.operations.size();

    PowerLoss loss{log};
    const bool is_small = losses_max_ < 50 * losses_of_a_small_workload;
    const std::uint64_t stride =
        is_small
            ? std::max<std::uint64_t>(1, 3 * log.operations.size() / losses_of_a_small_workload)
            : 1;
    for (std::size_t at = random_() % stride; at <= log.operations.size(); at += stride) {
        loss.advance_to(at);
        lose_power(at, loss, {.keep_percent = 0});
        if (!loss.is_pending()) continue;
        lose_power(at, loss, {.keep_percent = 100, .tears = false});
        const unsigned keep_percent = random_() % 2 == 0 ? 50 : 90;
        lose_power(at, loss, {.keep_percent = keep_percent});
        if (losses >= losses_max_ || !violations.empty()) return;
    }
}

void PowerLossSweep::run(std::uint64_t losses_max) {
    losses_max_ = losses_max;
    while (losses < losses_max && violations.empty()) run_workload();
    workload_.reset();
    disk_.reset();
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("power that goes at any moment takes nothing that was acknowledged [P1]") {
    const std::uint64_t seed = sweep_seed();
    PowerLossSweep sweep{seed};
    sweep.run(sweep_size("DAYBOOK_SWEEP_POWER_LOSSES", 600));
    MESSAGE("DAYBOOK_SWEEP_SEED=" << seed << ": " << sweep.losses << " power losses in "
                                  << sweep.workloads << " workloads of " << sweep.operations
                                  << " disk operations, " << sweep.recoveries << " recoveries");
    CHECK_MESSAGE(sweep.violations.empty(), text_of(sweep.violations));
}

TEST_CASE("power that goes again while a store recovers takes nothing either [P3]") {
    const std::uint64_t seed = sweep_seed();
    PowerLossSweep sweep{seed};
    sweep.recovers_one_in = 1;
    sweep.run(sweep_size("DAYBOOK_SWEEP_SECOND_LOSSES", 100));
    MESSAGE("DAYBOOK_SWEEP_SEED=" << seed << ": " << sweep.losses << " power losses, "
                                  << sweep.recoveries << " recoveries");
    CHECK_MESSAGE(sweep.violations.empty(), text_of(sweep.violations));
}

TEST_CASE("a disk that lies about its syncs is found out [P1]") {
    PowerLossSweep sweep{sweep_seed()};
    sweep.disk_lies = true;
    sweep.run(5'000);
    REQUIRE(!sweep.violations.empty());
    CHECK(sweep.losses < 5'000);
}

TEST_SUITE_END();
