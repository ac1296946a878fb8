#include "trial.hpp"

#include <array>
#include <limits>

#include "power_loss.hpp"

namespace daybook::test {

namespace {

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t seed = 5;

void nothing(Workload&) {}

void two_messages(Workload& workload) {
    workload.transact();
    workload.transact();
}

void some_events(Workload& workload) {
    workload.append();
    workload.deposit();
    workload.transact();
}

void a_trip(Workload& workload) {
    workload.start_trip();
    workload.run_sagas();
}

template <std::size_t Model>
void rebuild(Workload& workload) {
    workload.rebuild(model_names[Model]);
}

void open_and_append(Workload& workload) {
    workload.open();
    workload.append();
}

void a_second_program(Workload& workload) {
    Workload second{{.path = workload.path(), .seed = seed}};
    second.open();
    second.read();
    workload.append();
    second.read();
    second.close();
    workload.append();
}

void everything_at_once(Workload& workload) {
    workload.transact();
    workload.relay();
    workload.project();
    workload.append_group();
    workload.start_trip();
    workload.run_sagas();
    workload.relay();
    workload.deposit();
    workload.close();
    workload.open();
    workload.append();
}

}  // namespace

std::span<const Scenario> scenarios() {
    using Start = Scenario::Start;
    static const std::array all{
        Scenario{"create a store", Start::nothing, nothing, open_and_append},
        Scenario{"open a store", Start::closed, nothing, &Workload::open},
        Scenario{"open a store after a crash", Start::crashed, nothing, &Workload::open},
        Scenario{"open and append", Start::closed, nothing, open_and_append},
        Scenario{"append", Start::open, nothing, &Workload::append},
        Scenario{"append a group", Start::open, nothing, &Workload::append_group},
        Scenario{"a transaction", Start::open, nothing, &Workload::transact},
        Scenario{"a transaction after a crash", Start::crashed, &Workload::open,
                 &Workload::transact},
        Scenario{"save an aggregate with a snapshot", Start::open, &Workload::deposit,
                 &Workload::deposit},
        Scenario{"save another one", Start::open, nothing, &Workload::deposit},
        Scenario{"read all", Start::open, some_events, &Workload::read},
        Scenario{"start a saga", Start::open, &Workload::start_trip, &Workload::run_sagas},
        Scenario{"a saga's first step", Start::open, a_trip, &Workload::relay},
        Scenario{"the index of sagas", Start::open, a_trip, &Workload::rebuild_saga_index},
        Scenario{"deliver messages", Start::open, two_messages, &Workload::relay},
        Scenario{"purge inbox marks", Start::open, nothing, &Workload::purge},
        Scenario{"feed models", Start::open, some_events, &Workload::project},
        Scenario{"make models", Start::crashed, &Workload::open, &Workload::project},
        Scenario{"rebuild an SQL model", Start::open, some_events, rebuild<0>},
        Scenario{"rebuild a keyed model", Start::open, some_events, rebuild<1>},
        Scenario{"rebuild an inline model", Start::open, some_events, rebuild<2>},
        Scenario{"close", Start::open, some_events, &Workload::close},
        Scenario{"migrate", Start::open, some_events, &Workload::migrate},
        Scenario{"mirror", Start::open, some_events, &Workload::mirror},
        Scenario{"beside a second program", Start::open, nothing, a_second_program},
        Scenario{"everything at once", Start::open, nothing, everything_at_once},
    };
    return all;
}

Trial::Trial() : disk_(std::make_unique<MemoryDisk>()) {
    Workload workload{{.path = disk_->path("store.db"), .seed = seed}};
    workload.open();
    some_events(workload);
    workload.drain();
    workload.close();
    closed_ = disk_->image();
    workload.open();
    some_events(workload);
    workload.start_trip();
    crashed_ = disk_->image();
    history_ = workload.history();
    violations_.clear();
    for (const auto& failure : history_.failures) violations_.push_back(failure.what);
}

void Trial::add_violations(const Violations& found, const char* where) {
    constexpr std::size_t violations_max = 4;  // the rest usually follow from the first ones
    for (const std::string& violation : found) {
        if (violations_.size() == violations_max) return;
        violations_.push_back(std::string(where) + ": " + violation);
    }
}

void Trial::start(const Scenario& scenario) {
    const bool crashed = scenario.start == Scenario::Start::crashed;
    if (scenario.start == Scenario::Start::nothing) {
        disk_->load({});
    } else {
        disk_->load(crashed ? crashed_ : closed_);
    }
    History before;
    if (crashed) before = history_;
    if (scenario.start == Scenario::Start::closed || scenario.start == Scenario::Start::open) {
        before = history_;
        before.requests.resize(3);
    }
    disk_->record();
    workload_ = std::make_unique<Workload>(WorkloadSetup{
        .path = disk_->path("store.db"), .seed = seed, .history = std::move(before), .now = [this] {
            return disk_->operations();
        }});
    if (scenario.start == Scenario::Start::open) workload_->open();
    scenario.prepare(*workload_);
}

void Trial::judge_errors(std::size_t first_failure) {
    const auto& failures = workload_->history().failures;
    for (std::size_t i = first_failure; i < failures.size(); ++i) {
        const ErrorKind kind = failures[i].kind;
        if (kind == ErrorKind::storage || kind == ErrorKind::unavailable) continue;
        if (kind == ErrorKind::in_doubt) continue;
        add_violations({std::string(to_string(kind)) + ": " + failures[i].what},
                       "the wrong kind of error");
    }
}

void Trial::continue_working() {
    const std::size_t failures = workload_->history().failures.size();
    if (!workload_->is_open()) workload_->open();
    workload_->drain();
    workload_->append();
    workload_->transact();
    workload_->deposit();
    workload_->drain();
    for (std::size_t i = failures; i < workload_->history().failures.size(); ++i) {
        add_violations({workload_->history().failures[i].what}, "the same process cannot continue");
    }
    if (!workload_->is_open()) return;
    add_violations(judge(workload_->program().store, workload_->history(), everything, true),
                   "after continuing");
    add_violations(judge_files(workload_->path()), "after continuing");
    workload_->close();
    const EventStore store = EventStore::open(workload_->path());
    add_violations(judge(store, workload_->history(), everything, true), "opened again");
}

void Trial::lose_power(const History& history) {
    const OperationLog log = disk_->take_log();
    PowerLoss loss{log};
    loss.advance_to(log.operations.size());
    std::mt19937_64 random{seed};
    disk_->load(loss.image(random, {.keep_percent = 0}));
    const EventStore store = EventStore::open(workload_->path());
    add_violations(judge(store, history, everything), "after a power loss");
    add_violations(judge_files(workload_->path()), "after a power loss");
}

Violations Trial::run(const Scenario& scenario, const std::function<void()>& inject,
                      const std::function<void()>& heal, bool loses_power) {
    violations_.clear();
    try {
        start(scenario);
        const auto before = workload_->history();
        for (const auto& failure : before.failures)
            add_violations({failure.what}, "before anything fails");
        inject();
        scenario.run(*workload_);
        heal();
        judge_errors(before.failures.size());
        History history = workload_->history();
        if (falsifies_verdicts && !history.requests.empty()) {
            Verdict& verdict = history.requests.back().verdict;
            verdict = verdict == Verdict::stored ? Verdict::refused : Verdict::stored;
        }
        if (workload_->is_open()) {
            add_violations(judge(workload_->program().store, history, everything),
                           "after the fault");
        }
        if (loses_power) {
            workload_->close();
            lose_power(history);
        } else {
            continue_working();
        }
    } catch (const std::exception& error) {
        heal();
        add_violations({error.what()}, "an exception");
    }
    workload_.reset();
    if (disk_->operations() > 0) disk_->take_log();
    return std::exchange(violations_, {});
}

}  // namespace daybook::test
