#include "trial.hpp"

#include <array>
#include <limits>

#include "power_loss.hpp"

namespace daybook::test {

namespace {

constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();
constexpr std::uint64_t seed = 5;

void nothing(World&) {}

void two_messages(World& world) {
    world.transact();
    world.transact();
}

void some_events(World& world) {
    world.append();
    world.deposit();
    world.transact();
}

void a_trip(World& world) {
    world.start_trip();
    world.run_sagas();
}

template <std::size_t Model>
void rebuild(World& world) {
    world.rebuild(model_names[Model]);
}

void open_and_append(World& world) {
    world.open();
    world.append();
}

void a_second_program(World& world) {
    World second{{.path = world.path(), .seed = seed}};
    second.open();
    second.read();
    world.append();
    second.read();
    second.close();
    world.append();
}

void everything_at_once(World& world) {
    world.transact();
    world.relay();
    world.project();
    world.append_group();
    world.start_trip();
    world.run_sagas();
    world.relay();
    world.deposit();
    world.close();
    world.open();
    world.append();
}

}  // namespace

std::span<const Scenario> scenarios() {
    using Start = Scenario::Start;
    static const std::array all{
        Scenario{"create a store", Start::nothing, nothing, open_and_append},
        Scenario{"open a store", Start::closed, nothing, &World::open},
        Scenario{"open a store after a crash", Start::crashed, nothing, &World::open},
        Scenario{"open and append", Start::closed, nothing, open_and_append},
        Scenario{"append", Start::open, nothing, &World::append},
        Scenario{"append a group", Start::open, nothing, &World::append_group},
        Scenario{"a unit", Start::open, nothing, &World::transact},
        Scenario{"a unit after a crash", Start::crashed, &World::open, &World::transact},
        Scenario{"save an aggregate with a snapshot", Start::open, &World::deposit,
                 &World::deposit},
        Scenario{"save another one", Start::open, nothing, &World::deposit},
        Scenario{"read all", Start::open, some_events, &World::read},
        Scenario{"start a saga", Start::open, &World::start_trip, &World::run_sagas},
        Scenario{"a saga's first step", Start::open, a_trip, &World::relay},
        Scenario{"the index of sagas", Start::open, a_trip, &World::rebuild_saga_index},
        Scenario{"deliver messages", Start::open, two_messages, &World::relay},
        Scenario{"forget inbox marks", Start::open, nothing, &World::purge},
        Scenario{"feed models", Start::open, some_events, &World::project},
        Scenario{"make models", Start::crashed, &World::open, &World::project},
        Scenario{"rebuild an SQL model", Start::open, some_events, rebuild<0>},
        Scenario{"rebuild a keyed model", Start::open, some_events, rebuild<1>},
        Scenario{"rebuild an inline model", Start::open, some_events, rebuild<2>},
        Scenario{"close", Start::open, some_events, &World::close},
        Scenario{"migrate", Start::open, some_events, &World::migrate},
        Scenario{"mirror", Start::open, some_events, &World::mirror},
        Scenario{"beside a second program", Start::open, nothing, a_second_program},
        Scenario{"everything at once", Start::open, nothing, everything_at_once},
    };
    return all;
}

Trial::Trial() : disk_(std::make_unique<MemoryDisk>()) {
    World world{{.path = disk_->path("store.db"), .seed = seed}};
    world.open();
    some_events(world);
    world.settle();
    world.close();
    closed_ = disk_->image();
    world.open();
    some_events(world);
    world.start_trip();
    crashed_ = disk_->image();
    history_ = world.history();
    violations_.clear();
    for (const auto& failure : history_.failures) violations_.push_back(failure.what);
}

void Trial::blame(const Violations& found, const char* where) {
    constexpr std::size_t violations_max = 4;  // the first ones are what the rest come from
    for (const std::string& violation : found) {
        if (violations_.size() == violations_max) return;
        violations_.push_back(std::string(where) + ": " + violation);
    }
}

void Trial::begin(const Scenario& scenario) {
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
        before.units.resize(3);
    }
    disk_->record();
    world_ = std::make_unique<World>(WorldSetup{
        .path = disk_->path("store.db"), .seed = seed, .history = std::move(before), .now = [this] {
            return disk_->operations();
        }});
    if (scenario.start == Scenario::Start::open) world_->open();
    scenario.prepare(*world_);
}

void Trial::judge_errors(std::size_t first_failure) {
    const auto& failures = world_->history().failures;
    for (std::size_t i = first_failure; i < failures.size(); ++i) {
        const ErrorKind kind = failures[i].kind;
        if (kind == ErrorKind::storage || kind == ErrorKind::unavailable) continue;
        if (kind == ErrorKind::in_doubt) continue;
        blame({std::string(to_string(kind)) + ": " + failures[i].what}, "the wrong kind of error");
    }
}

void Trial::go_on() {
    const std::size_t failures = world_->history().failures.size();
    if (!world_->is_open()) world_->open();
    world_->settle();
    world_->append();
    world_->transact();
    world_->deposit();
    world_->settle();
    for (std::size_t i = failures; i < world_->history().failures.size(); ++i) {
        blame({world_->history().failures[i].what}, "the same process does not go on");
    }
    if (!world_->is_open()) return;
    blame(judge(world_->program().store, world_->history(), everything, true), "having gone on");
    blame(judge_files(world_->path()), "having gone on");
    world_->close();
    const EventStore store = EventStore::open(world_->path());
    blame(judge(store, world_->history(), everything, true), "opened again");
}

void Trial::lose_power(const History& history) {
    const OperationLog log = disk_->take_log();
    PowerLoss loss{log};
    loss.advance_to(log.operations.size());
    std::mt19937_64 random{seed};
    disk_->load(loss.image(random, {.keep_percent = 0}));
    const EventStore store = EventStore::open(world_->path());
    blame(judge(store, history, everything), "after a power loss");
    blame(judge_files(world_->path()), "after a power loss");
}

Violations Trial::run(const Scenario& scenario, const std::function<void()>& harm,
                      const std::function<void()>& heal, bool loses_power) {
    violations_.clear();
    try {
        begin(scenario);
        const auto before = world_->history();
        for (const auto& failure : before.failures) blame({failure.what}, "before anything fails");
        harm();
        scenario.run(*world_);
        heal();
        judge_errors(before.failures.size());
        History history = world_->history();
        if (falsifies_verdicts && !history.units.empty()) {
            Verdict& verdict = history.units.back().verdict;
            verdict = verdict == Verdict::stored ? Verdict::refused : Verdict::stored;
        }
        if (world_->is_open()) {
            blame(judge(world_->program().store, history, everything), "once it is over");
        }
        if (loses_power) {
            world_->close();
            lose_power(history);
        } else {
            go_on();
        }
    } catch (const std::exception& error) {
        heal();
        blame({error.what()}, "an exception");
    }
    world_.reset();
    if (disk_->operations() > 0) disk_->take_log();
    return std::exchange(violations_, {});
}

}  // namespace daybook::test
