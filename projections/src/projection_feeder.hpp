#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "projector.hpp"
#include "rate_meter.hpp"
#include "registry.hpp"

namespace daybook::detail {

/// Keeps the model of one projection up to date: creates it, rebuilds it, feeds it, and decides
/// after each error whether to retry or to halt. A runner has one for each projection that was
/// added, and a worker thread that calls `feed`.
///
///     feed              public, never throws
///       feed_or_rebuild   compares the definition with the registry
///         apply_batch       of the derived class: one transaction of a live model
///         rebuild
///
/// Thread-safe.
class ProjectionFeeder {
public:
    struct FeedResult {
        std::uint64_t applied = 0;
        bool more = false;  ///< call again at once
        /// Do not call again before, even if somebody commits.
        std::optional<std::chrono::steady_clock::time_point> not_before{};
    };
    /// What this runner knows and the store does not.
    struct Report {
        ProjectionState state = ProjectionState::active;
        std::string last_error;
        Position position;  ///< last position that this feeder has seen committed
        double rate = 0;
    };

    ProjectionFeeder(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
                     Lifecycle lifecycle, const ProjectionRunnerOptions& options);
    virtual ~ProjectionFeeder() = default;
    ProjectionFeeder(const ProjectionFeeder&) = delete;
    ProjectionFeeder& operator=(const ProjectionFeeder&) = delete;

    /// Applies one batch, or does what must come before it: creating the model, a rebuild. Never
    /// throws: an error of the definition or of a handler halts the projection, any other error is
    /// retried after `ProjectionRunnerOptions::poll`.
    FeedResult feed(const std::stop_token& stop);
    /// Reports that the projection is retrying, because of `why`.
    void report_waiting(const std::string& why);
    /// Lets a halted projection try again.
    void resume();
    std::uint64_t replay_parked(std::string_view key);
    std::uint64_t discard_parked(const DiscardParked& which);

    Report report() const;
    const std::string& name() const noexcept { return defined_.shape.name; }
    const DefinedProjection& defined() const noexcept { return defined_; }
    const std::shared_ptr<const ProjectionDefinition>& definition() const noexcept {
        return definition_;
    }

protected:
    using Work = std::function<void(ReadModelDatabase&, CheckpointLocation, LogSource&)>;

    struct BatchResult {
        Position position;
        std::uint64_t applied = 0;
        bool more = false;
        bool halted = false;
        std::string failure;  ///< error of the event that the model waits at; empty if none fails
        std::optional<std::chrono::steady_clock::time_point> not_before{};
    };

    /// Creates the empty model inside the transaction that inserts its row in the registry.
    /// Returns the tables and views that it has in the store's own database.
    virtual std::vector<std::string> create_model(Sql& store) = 0;
    /// Called after the commit of that transaction.
    virtual void on_model_created() {}
    /// Closes connections and drops everything cached of the model and of the store.
    virtual void close() = 0;
    /// The committed position of the model in service.
    virtual Position model_position(const ProjectionRow& row) = 0;
    virtual BatchResult apply_batch(const ProjectionRow& row) = 0;
    /// Calls `work` with the model in service; `work` begins and ends the transactions.
    virtual void with_model(const ProjectionRow& row, const Work& work) = 0;

    std::optional<ProjectionRow> find_row() const;

    EventStore store_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const DefinedProjection defined_;
    const ProjectionRunnerOptions& options_;

private:
    FeedResult feed_or_rebuild(const std::stop_token& stop) DAYBOOK_REQUIRES(work_mutex_);
    FeedResult retry_later(const std::string& why) DAYBOOK_REQUIRES(work_mutex_);
    /// The model was made from another log: rebuilds it, or halts if the options say so.
    FeedResult handle_other_log(const ProjectionRow& row, const OtherLogError& why,
                                const std::stop_token& stop) DAYBOOK_REQUIRES(work_mutex_);
    /// Resets this feeder if the store has another identity than at the last call: somebody has
    /// put another store in its place.
    void detect_other_store(const ProjectionRow& row) DAYBOOK_REQUIRES(work_mutex_);
    /// Back to the state of a new feeder.
    void reset() DAYBOOK_REQUIRES(work_mutex_);
    /// Logs each event name of the definition that the log does not contain.
    void warn_about_unknown_events();
    FeedResult apply_and_report(const ProjectionRow& row) DAYBOOK_REQUIRES(work_mutex_);
    /// Creates the model and its row in the registry.
    ProjectionRow register_projection() DAYBOOK_REQUIRES(work_mutex_);
    /// The row of a model that this definition has made. Throws NotFoundError, InvalidError.
    ProjectionRow require_current_row() const;
    /// True once, for an empty model so far behind that a rebuild is faster than live batches.
    bool needs_bulk_rebuild(const ProjectionRow& row) DAYBOOK_REQUIRES(work_mutex_);
    FeedResult rebuild(const std::stop_token& stop) DAYBOOK_REQUIRES(work_mutex_);
    void set_halted(const ProjectionRow& row, bool halted, const std::string& error);
    void set_report(ProjectionState state, std::string error);
    /// Halts until `resume`, in this process only: the registry stays as it is.
    FeedResult fail(const std::string& error) DAYBOOK_REQUIRES(work_mutex_);

    Mutex work_mutex_;  ///< held by feed, resume, replay_parked, discard_parked
    /// The first try of this runner is over.
    bool has_fed_ DAYBOOK_GUARDED_BY(work_mutex_) = false;
    bool bulk_decided_ DAYBOOK_GUARDED_BY(work_mutex_) = false;
    bool failed_ DAYBOOK_GUARDED_BY(work_mutex_) = false;  ///< see `fail`
    EventId store_id_ DAYBOOK_GUARDED_BY(work_mutex_);  ///< the store's identity at the last call
    /// As logged, so that it is logged once.
    std::string last_wait_reason_ DAYBOOK_GUARDED_BY(work_mutex_);
    RateMeter rate_;
    mutable Mutex report_mutex_;
    Report report_ DAYBOOK_GUARDED_BY(report_mutex_);
};

std::unique_ptr<ProjectionFeeder> make_feeder(
    EventStore store, std::shared_ptr<const ProjectionDefinition> definition, Lifecycle lifecycle,
    const ProjectionRunnerOptions& options);

}  // namespace daybook::detail
