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
#include "workload.hpp"

// Processes append, transact, project, relay and run sagas on one file, and are killed after a few
// milliseconds. What they had reported over a pipe is compared with what the store holds.
// DAYBOOK_SWEEP_KILLS=5000 makes it large.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// A request in one number, as a child reports it: at its start, and when its verdict is known.
std::uint64_t pack(const Request& request) {
    return request.number << 8 | request.events << 4 | (request.is_transaction ? 8U : 0U) |
           (request.starts_trip ? 4U : 0U) | static_cast<unsigned>(request.verdict);
}
Request unpack(std::uint64_t report) {
    return {.number = report >> 8,
            .events = report >> 4 & 15,
            .is_transaction = (report & 8) != 0,
            .starts_trip = (report & 4) != 0,
            .verdict = static_cast<Verdict>(report & 3)};
}

/// The endless work of each kind of child.
void change(Workload& workload, std::mt19937_64& random) {
    switch (random() % 6) {
        case 0: return workload.append_group();
        case 1: return workload.deposit();
        case 2: return workload.start_trip();
        case 3: return workload.append();
        default: return workload.transact();
    }
}
void serve(Workload& workload, std::mt19937_64& random) {
    switch (random() % 8) {
        case 0: return workload.rebuild(model_names[random() % std::size(model_names)]);
        case 1:
        case 2: return workload.run_sagas();
        case 3:
        case 4: return workload.project();
        default: return workload.relay();
    }
}

class KillSweep {
public:
    explicit KillSweep(std::uint64_t seed) : random_(seed) {}

    void run(std::uint64_t kills_max);

    /// For the negative control: children report a request as stored before they store it.
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
    void check(bool complete);

    std::mt19937_64 random_;
    std::unique_ptr<TemporaryDirectory> directory_;
    std::uint64_t next_request_ = 1;
    std::map<std::uint64_t, Request> requests_;
};

std::unique_ptr<ChildProcess> KillSweep::start(int kind) {
    const std::uint64_t first = next_request_;
    const std::uint64_t seed = random_();
    next_request_ += 10'000;
    return std::make_unique<ChildProcess>([=, this](const ChildProcess::Report& report) {
        std::mt19937_64 random{seed};
        WorkloadSetup setup{.path = directory_->file("store.db"), .seed = seed};
        setup.report = [&](Request request) {
            if (reports_too_early) request.verdict = Verdict::stored;
            report(pack(request));
        };
        setup.first_request = first;
        setup.busy_wait_max = 10s;
        setup.relay_name = "relay-" + std::to_string(kind);
        Workload workload{std::move(setup)};
        for (;;) kind == 0 ? serve(workload, random) : change(workload, random);
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
            const Request request = unpack(report);
            acknowledged += request.verdict == Verdict::stored ? 1 : 0;
            requests_[request.number] = request;
        }
    }
}

void KillSweep::check(bool complete) {
    History history;
    for (const auto& [number, request] : requests_) history.requests.push_back(request);
    const std::string path = directory_->file("store.db");
    Workload workload{{.path = path,
                       .history = history,
                       .first_request = next_request_ - history.requests.size(),
                       .busy_wait_max = 10s}};
    workload.open();
    if (complete) {
        // A killed process may hold the lease on starting sagas: wait until it has expired.
        eventually([&] {
            workload.drain();
            const auto due = workload.program().sagas.next_due();
            return !due || *due > workload.program().store.clock().now();
        });
        workload.append();
        workload.transact();
        workload.drain();
    }
    for (const auto& failure : workload.history().failures) violations.push_back(failure.what);
    if (!workload.is_open()) return;
    const auto add = [&](const Violations& found) {
        violations.insert(violations.end(), found.begin(), found.end());
    };
    add(judge(workload.program().store, workload.history(), everything, complete));
    add(judge_files(path));
}

void KillSweep::run_store() {
    ++stores;
    std::error_code none;
    const bool in_memory = std::filesystem::is_directory("/dev/shm", none);
    directory_ = std::make_unique<TemporaryDirectory>(
        in_memory ? std::filesystem::path{"/dev/shm"} : std::filesystem::temp_directory_path());
    requests_.clear();
    for (int round = 0; round < rounds_of_a_store && violations.empty(); ++round) {
        std::array<std::unique_ptr<ChildProcess>, children_count> children;
        for (int kind = 0; kind < children_count; ++kind) {
            children[static_cast<std::size_t>(kind)] = start(kind);
        }
        // Every other time a child finishes its first requests before the kill; otherwise the
        // children may still be opening the store. A request is reported twice: at its start, and
        // with its verdict.
        if (random_() % 2 == 0) children[1]->wait_for_reports(1 + random_() % 6, 10s);
        std::this_thread::sleep_for(std::chrono::microseconds{1'000 + random_() % 8'000});
        kill_all(children);
        if (round % 5 == 4) check(false);
    }
    if (violations.empty()) check(true);
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
                                  << " requests acknowledged in " << sweep.stores << " stores");
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
