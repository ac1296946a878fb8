#include "daybook/projections/projection_runner.hpp"

#include <algorithm>
#include <map>

#include "checkpoint_tables.hpp"
#include "daybook/core/error.hpp"
#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/eventstore/worker.hpp"
#include "daybook/projections/read_models.hpp"
#include "projection_feeder.hpp"
#include "rebuild.hpp"
#include "registry.hpp"

namespace daybook {

using detail::ProjectionFeeder;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// How often `wait_for` reads the checkpoint of a model, which another process may be feeding.
constexpr milliseconds wait_poll_interval{5};
/// The least time between two batches of an inline model. Appends of this process keep it up to
/// date, so that only the appends of other programs leave work for a batch.
constexpr milliseconds inline_pause{20};

}  // namespace

struct ProjectionRunner::State {
    State(EventStore opened, ProjectionRunnerOptions chosen)
        : store(std::move(opened)), options(std::move(chosen)), models(store) {}

    ProjectionFeeder* find(std::string_view name) const {
        for (const auto& feeder : feeders) {
            if (feeder->name() == name) return feeder.get();
        }
        return nullptr;
    }
    ProjectionFeeder& get(std::string_view name) const {
        if (ProjectionFeeder* const feeder = find(name)) return *feeder;
        throw NotFoundError("projection '" + std::string(name) +
                            "' is not defined by this program: add it to the runner");
    }

    /// Feeds until there is nothing more to do at once. Returns how many events were applied.
    std::uint64_t drain(ProjectionFeeder& feeder, const std::stop_token& stop) {
        std::uint64_t applied = 0;
        for (bool more = true; more && !stop.stop_requested();) {
            const ProjectionFeeder::FeedResult result = feeder.feed(stop);
            applied += result.applied;
            more = result.more;
            notify_waiters();
        }
        return applied;
    }

    NextStep feed_once(ProjectionFeeder& feeder, const std::stop_token& stop) {
        const ProjectionFeeder::FeedResult result = feeder.feed(stop);
        notify_waiters();
        if (result.more) return NextStep::now();
        if (result.not_before) return NextStep::after(time_left(*result.not_before));
        const bool is_inline = feeder.defined().lifecycle == Lifecycle::inline_;
        return NextStep::after_commit(options.poll,
                                      is_inline ? inline_pause : milliseconds::zero());
    }

    std::unique_ptr<Worker> start_worker(ProjectionFeeder& feeder) {
        const WorkerOptions worker_options{
            .name = "projection '" + feeder.name() + "'",
            .retry = every(options.poll),
            .on_wait = [&feeder](const auto& why) { feeder.report_waiting(error_text(why)); }};
        auto worker = std::make_unique<Worker>(store, worker_options);
        worker->start([this, &feeder](const auto& stop) { return feed_once(feeder, stop); });
        return worker;
    }

    /// Wakes `wait`: the checkpoint of a model may have moved.
    void notify_waiters() {
        {
            const MutexLock lock{mutex};
            ++notifications;
        }
        notified.notify_all();
    }

    /// Whether the model has seen `position`; false if it is halted before. Nothing while it may
    /// still get there.
    std::optional<bool> has_seen(std::string_view name, Position position) const {
        const ProjectionFeeder* const feeder = find(name);
        if (feeder != nullptr) {
            const auto report = feeder->report();
            // A feeder at position 0 may have no model yet, which a caller could not query.
            const bool has_model = report.position > Position{0};
            if (has_model && report.position >= position) return true;
            if (report.state == ProjectionState::halted) return false;
        }
        try {
            if (models.accounting(name).position >= position) return true;
        } catch (const NotFoundError&) {
            // For a projection of this runner: its model is not created yet.
            if (feeder == nullptr) throw;
        } catch (const detail::OtherLogError&) {
            // The rebuild from the log of this store has not ended yet.
        }
        return std::nullopt;
    }

    bool wait(std::string_view name, Position position, steady_clock::time_point deadline) const {
        for (;;) {
            std::uint64_t seen = 0;
            {
                const MutexLock lock{mutex};
                seen = notifications;
            }
            if (const auto answer = has_seen(name, position)) return *answer;
            const auto now = steady_clock::now();
            if (now >= deadline) return false;
            const auto until = std::min(deadline, now + wait_poll_interval);
            MutexLock lock{mutex};
            while (notifications == seen &&
                   notified.wait_until(lock, until) == std::cv_status::no_timeout) {}
        }
    }

    ProjectionStatus describe(const detail::ProjectionRow& row, Position head) const;

    EventStore store;
    const ProjectionRunnerOptions options;
    ReadModels models;
    std::vector<std::unique_ptr<ProjectionFeeder>> feeders;
    mutable Mutex mutex;
    mutable ConditionVariable notified;
    std::uint64_t notifications DAYBOOK_GUARDED_BY(mutex) = 0;
    bool started = false;  ///< by start or run_once: nothing can be added any more
    std::vector<std::unique_ptr<Worker>> workers;
};

ProjectionStatus ProjectionRunner::State::describe(const detail::ProjectionRow& row,
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
    const ProjectionFeeder* const feeder = find(row.name);
    if (feeder == nullptr) return status;
    status.defined = true;
    const ProjectionFeeder::Report report = feeder->report();
    status.rate = report.rate;
    switch (compare(row, feeder->defined())) {
        case detail::DefinitionMatch::outdated: status.state = ProjectionState::outdated; break;
        case detail::DefinitionMatch::superseded: status.state = ProjectionState::superseded; break;
        case detail::DefinitionMatch::current: break;
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
    if (state_->started) {
        throw InvalidError("projection '" + shape.name +
                           "' comes too late: add all before the runner begins");
    }
    if (state_->find(shape.name) != nullptr) {
        throw InvalidError("projection '" + shape.name +
                           "' was added before: give it another name");
    }
    state_->feeders.push_back(
        detail::make_feeder(state_->store, std::move(definition), lifecycle, state_->options));
}

std::vector<std::string> ProjectionRunner::names() const {
    std::vector<std::string> names;
    for (const auto& feeder : state_->feeders) names.push_back(feeder->name());
    return names;
}

void ProjectionRunner::start() {
    if (!state_->workers.empty()) return;
    state_->started = true;
    detail::remove_orphans(state_->store);
    for (const auto& feeder : state_->feeders) {
        // The first batch of an inline model adds its commit hook. Left to the worker thread, an
        // append right after `start` could commit before the hook is there, and the model would
        // lack its events for a moment.
        if (feeder->defined().lifecycle == Lifecycle::inline_) state_->drain(*feeder, {});
    }
    for (const auto& feeder : state_->feeders)
        state_->workers.push_back(state_->start_worker(*feeder));
}

void ProjectionRunner::stop() {
    for (const auto& worker : state_->workers) worker->request_stop();
    state_->workers.clear();
}

std::uint64_t ProjectionRunner::run_once() {
    if (!state_->started) detail::remove_orphans(state_->store);
    state_->started = true;
    std::uint64_t applied = 0;
    for (const auto& feeder : state_->feeders) applied += state_->drain(*feeder, {});
    return applied;
}

bool ProjectionRunner::wait_for(Position position, milliseconds timeout) const {
    const auto deadline = deadline_after(timeout);
    return std::ranges::all_of(state_->feeders, [&](const auto& feeder) {
        return state_->wait(feeder->name(), position, deadline);
    });
}

bool ProjectionRunner::wait_for(std::string_view name, Position position,
                                milliseconds timeout) const {
    return state_->wait(name, position, deadline_after(timeout));
}

std::vector<ProjectionStatus> ProjectionRunner::status() const {
    std::vector<detail::ProjectionRow> rows;
    std::map<std::string, ProjectionStatus, std::less<>> by_name;
    std::vector<detail::RebuildRow> rebuilds;
    detail::query_store(state_->store, [&](Sql& sql) {
        rows = detail::Registry{sql}.list();
        rebuilds = detail::Registry{sql}.list_rebuilds();
    });
    const Position head = state_->store.head();
    for (const auto& row : rows) by_name.emplace(row.name, state_->describe(row, head));
    for (const auto& row : rebuilds) {
        by_name[row.name].rebuild =
            RebuildStatus{row.version,    row.owner,      row.position, row.target,
                          row.started_at, row.updated_at, row.error};
    }
    for (const auto& feeder : state_->feeders) {
        if (by_name.contains(feeder->name())) continue;
        ProjectionStatus& status = by_name[feeder->name()];
        status.name = feeder->name();
        status.defined = true;
        status.lifecycle = feeder->defined().lifecycle;
        status.version = feeder->defined().shape.version;
        status.lag = head.value();
        status.last_error = feeder->report().last_error;
        if (feeder->report().state == ProjectionState::halted) {
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
    ProjectionFeeder& feeder = state_->get(name);
    detail::Rebuild rebuild{state_->store, feeder.definition(), feeder.defined().lifecycle,
                            std::move(options)};
    const RebuildResult result = rebuild.run();
    try {
        // The error that has halted the old model says nothing about the new one.
        feeder.resume();
    } catch (const std::exception& error) {
        // The new model is in service, and the next batch finds that out from the registry.
        state_->store.log(LogLevel::warning, error.what());
    }
    state_->notify_waiters();
    return result;
}

void ProjectionRunner::query(std::string_view name, const std::function<void(Sql&)>& look) const {
    state_->models.query(name, look);
}

std::vector<ParkedEvent> ProjectionRunner::parked(std::string_view name, std::size_t limit) const {
    std::vector<ParkedEvent> events;
    state_->models.query(
        name, [&](Sql& sql) { events = detail::CheckpointTables{sql, name}.parked(limit); });
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
    state_->notify_waiters();
}

}  // namespace daybook
