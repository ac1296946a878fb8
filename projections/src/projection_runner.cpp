#include "daybook/projections/projection_runner.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "daybook/projections/read_models.hpp"
#include "entry.hpp"
#include "ledger.hpp"
#include "rebuild.hpp"
#include "registry.hpp"

namespace daybook {

using detail::Entry;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// How long to look away between two looks at a model that is fed elsewhere, or at an inline one
/// that only programs without it leave behind.
constexpr milliseconds glance{5};
constexpr milliseconds inline_rest{20};

}  // namespace

struct ProjectionRunner::State {
    State(EventStore opened, ProjectionRunnerOptions chosen)
        : store(std::move(opened)), options(std::move(chosen)), models(store) {}

    Entry* find(std::string_view name) const {
        for (const auto& entry : entries) {
            if (entry->name() == name) return entry.get();
        }
        return nullptr;
    }
    Entry& get(std::string_view name) const {
        if (Entry* const entry = find(name)) return *entry;
        throw NotFoundError("projection '" + std::string(name) +
                            "' is not defined by this program: add it to the runner");
    }

    /// Steps until there is nothing more to do at once. Returns how many events were applied.
    std::uint64_t drain(Entry& entry, const std::stop_token& stop) {
        std::uint64_t applied = 0;
        for (bool more = true; more && !stop.stop_requested();) {
            const Entry::Outcome outcome = entry.step(stop);
            applied += outcome.applied;
            more = outcome.more;
            ring();
        }
        return applied;
    }

    NextStep step(Entry& entry, const std::stop_token& stop) {
        const Entry::Outcome outcome = entry.step(stop);
        ring();
        if (outcome.more) return NextStep::now();
        if (outcome.not_before) return NextStep::after(time_left(*outcome.not_before));
        const bool in_line = entry.wanted().lifecycle == Lifecycle::inline_;
        return NextStep::after_commit(options.poll, in_line ? inline_rest : milliseconds::zero());
    }

    std::unique_ptr<Worker> work_on(Entry& entry) {
        const WorkerOptions how{
            .name = "projection '" + entry.name() + "'",
            .retry = every(options.poll),
            .on_wait = [&entry](const auto& why) { entry.waits_for(error_text(why)); }};
        auto worker = std::make_unique<Worker>(store, how);
        worker->start([this, &entry](const auto& stop) { return step(entry, stop); });
        return worker;
    }

    /// Tells waiters that a model may have moved.
    void ring() {
        {
            const std::scoped_lock lock{mutex};
            ++moves;
        }
        moved.notify_all();
    }

    /// Nothing while the answer is open.
    std::optional<bool> has_seen(std::string_view name, Position position) const {
        const Entry* const entry = find(name);
        if (entry != nullptr) {
            const auto report = entry->report();
            if (report.position >= position) return true;
            if (report.state == ProjectionState::halted) return false;
        }
        try {
            if (models.accounting(name).position >= position) return true;
        } catch (const NotFoundError&) {
            // Its runner has not come to making it.
            if (entry == nullptr) throw;
        } catch (const detail::OtherLogError&) {
            // Nor to making it anew.
        }
        return std::nullopt;
    }

    bool wait(std::string_view name, Position position, steady_clock::time_point deadline) const {
        for (;;) {
            std::uint64_t seen = 0;
            {
                const std::scoped_lock lock{mutex};
                seen = moves;
            }
            if (const auto answer = has_seen(name, position)) return *answer;
            const auto now = steady_clock::now();
            if (now >= deadline) return false;
            std::unique_lock lock{mutex};
            moved.wait_until(lock, std::min(deadline, now + glance), [&] { return moves != seen; });
        }
    }

    ProjectionStatus describe(const detail::Registered& row, Position head) const;

    EventStore store;
    const ProjectionRunnerOptions options;
    ReadModels models;
    std::vector<std::unique_ptr<Entry>> entries;
    mutable std::mutex mutex;
    mutable std::condition_variable moved;
    std::uint64_t moves = 0;  ///< under mutex
    bool begun = false;
    std::vector<std::unique_ptr<Worker>> workers;
};

ProjectionStatus ProjectionRunner::State::describe(const detail::Registered& row,
                                                   Position head) const {
    ProjectionStatus status;
    status.name = row.name;
    status.lifecycle = row.lifecycle;
    status.version = row.version;
    status.build = row.build;
    status.state = row.halted ? ProjectionState::halted : ProjectionState::active;
    status.last_error = row.last_error;
    try {
        status.accounting = models.accounting(row.name);
    } catch (const detail::OtherLogError& error) {
        if (status.state == ProjectionState::active) status.state = ProjectionState::outdated;
        status.last_error = error.what();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found) status.last_error = error.what();
    }
    const Position position = status.accounting.position;
    status.lag = head > position ? head.value() - position.value() : 0;
    const Entry* const entry = find(row.name);
    if (entry == nullptr) return status;
    status.defined = true;
    const Entry::Report report = entry->report();
    status.rate = report.rate;
    switch (compare(row, entry->wanted())) {
        case detail::Standing::outdated: status.state = ProjectionState::outdated; break;
        case detail::Standing::superseded: status.state = ProjectionState::superseded; break;
        case detail::Standing::current: break;
    }
    if (!report.last_error.empty()) status.last_error = report.last_error;
    const bool worse =
        report.state == ProjectionState::retrying || report.state == ProjectionState::halted;
    if (status.state != ProjectionState::halted && worse) status.state = report.state;
    return status;
}

ProjectionRunner::ProjectionRunner(EventStore store, ProjectionRunnerOptions options)
    : state_(std::make_unique<State>(std::move(store), std::move(options))) {
    if (state_->options.batch_events_max == 0) {
        throw InvalidError("projections cannot be fed in batches of no events: give 1 or more");
    }
    if (state_->options.poll <= milliseconds::zero())
        throw InvalidError("ProjectionRunnerOptions: poll must be longer than 0");
}

ProjectionRunner::~ProjectionRunner() { stop(); }

void ProjectionRunner::add(std::unique_ptr<const ProjectionDefinition> definition,
                           Lifecycle lifecycle) {
    const ProjectionShape& shape = definition->shape();
    shape.check();
    if (state_->begun) {
        throw InvalidError("projection '" + shape.name +
                           "' comes too late: add all before the runner begins");
    }
    if (state_->find(shape.name) != nullptr) {
        throw InvalidError("projection '" + shape.name +
                           "' was added before: give it another name");
    }
    state_->entries.push_back(
        detail::make_entry(state_->store, std::move(definition), lifecycle, state_->options));
}

std::vector<std::string> ProjectionRunner::names() const {
    std::vector<std::string> names;
    for (const auto& entry : state_->entries) names.push_back(entry->name());
    return names;
}

void ProjectionRunner::start() {
    if (!state_->workers.empty()) return;
    state_->begun = true;
    detail::remove_orphans(state_->store);
    for (const auto& entry : state_->entries) {
        // Appends of this process must not run ahead of an inline model.
        if (entry->wanted().lifecycle == Lifecycle::inline_) state_->drain(*entry, {});
    }
    for (const auto& entry : state_->entries) state_->workers.push_back(state_->work_on(*entry));
}

void ProjectionRunner::stop() {
    for (const auto& worker : state_->workers) worker->request_stop();
    state_->workers.clear();
}

std::uint64_t ProjectionRunner::run_once() {
    if (!state_->begun) detail::remove_orphans(state_->store);
    state_->begun = true;
    std::uint64_t applied = 0;
    for (const auto& entry : state_->entries) applied += state_->drain(*entry, {});
    return applied;
}

bool ProjectionRunner::wait_for(Position position, milliseconds timeout) const {
    const auto deadline = deadline_after(timeout);
    return std::ranges::all_of(state_->entries, [&](const auto& entry) {
        return state_->wait(entry->name(), position, deadline);
    });
}

bool ProjectionRunner::wait_for(std::string_view name, Position position,
                                milliseconds timeout) const {
    return state_->wait(name, position, deadline_after(timeout));
}

std::vector<ProjectionStatus> ProjectionRunner::status() const {
    std::vector<detail::Registered> rows;
    std::map<std::string, ProjectionStatus, std::less<>> by_name;
    std::vector<detail::Unfinished> rebuilds;
    detail::query_store(state_->store, [&](Sql& sql) {
        rows = detail::Registry{sql}.list();
        rebuilds = detail::Registry{sql}.list_rebuilds();
    });
    const Position head = state_->store.head();
    for (const auto& row : rows) by_name.emplace(row.name, state_->describe(row, head));
    for (const auto& left : rebuilds) {
        by_name[left.name].rebuild =
            RebuildStatus{left.version,    left.owner,      left.position, left.target,
                          left.started_at, left.updated_at, left.error};
    }
    for (const auto& entry : state_->entries) {
        if (by_name.contains(entry->name())) continue;
        ProjectionStatus& status = by_name[entry->name()];
        status.name = entry->name();
        status.defined = true;
        status.lifecycle = entry->wanted().lifecycle;
        status.version = entry->wanted().shape.version;
        status.lag = head.value();
        status.last_error = entry->report().last_error;
        if (entry->report().state == ProjectionState::halted) {
            status.state = ProjectionState::halted;
        }
    }
    std::vector<ProjectionStatus> all;
    for (auto& [name, status] : by_name) all.push_back(std::move(status));
    return all;
}

ProjectionStatus ProjectionRunner::status(std::string_view name) const {
    for (ProjectionStatus& status : status()) {
        if (status.name == name) return std::move(status);
    }
    throw NotFoundError("projection '" + std::string(name) +
                        "' is neither in this store nor defined by this program");
}

RebuildResult ProjectionRunner::rebuild(std::string_view name, RebuildOptions options) {
    Entry& entry = state_->get(name);
    detail::Rebuild rebuild{state_->store, entry.definition(), entry.wanted().lifecycle,
                            std::move(options)};
    const RebuildResult result = rebuild.run();
    try {
        // What stood in the way of the old model is not in the way of the new one.
        entry.resume();
    } catch (const std::exception& error) {
        // The new one is in service; its runner finds out for itself.
        state_->store.log(LogLevel::warning, error.what());
    }
    state_->ring();
    return result;
}

void ProjectionRunner::query(std::string_view name, const std::function<void(Sql&)>& look) const {
    state_->models.query(name, look);
}

std::vector<ParkedEvent> ProjectionRunner::parked(std::string_view name, std::size_t limit) const {
    std::vector<ParkedEvent> events;
    state_->models.query(name, [&](Sql& sql) { events = detail::Ledger{sql, name}.parked(limit); });
    return events;
}

std::uint64_t ProjectionRunner::replay_parked(std::string_view name, std::string_view key) {
    return state_->get(name).replay_parked(key);
}

std::uint64_t ProjectionRunner::discard_parked(std::string_view name, const DiscardParked& which) {
    return state_->get(name).discard_parked(which);
}

void ProjectionRunner::resume(std::string_view name) {
    state_->get(name).resume();
    state_->ring();
}

}  // namespace daybook
