#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "projector.hpp"
#include "rebuild_lease.hpp"
#include "registry.hpp"

namespace daybook::detail {

/// One rebuild: makes a new build of a model beside the one in service, then switches over to it.
///
///     claim         one transaction of the store: acquires the lease and writes the registry. The
///                   lease's token is the fence: each later write to the registry and to the build
///                   checks it, so that of two processes only the later one writes.
///     apply         the log up to its head, in large transactions, into a database of its own
///     index         the definition's indexes, after the rows
///     finish        sync everything to the disk
///     catch up      apply what was appended meanwhile
///     switch over   one transaction of the store, during which no other append can run: applies
///                   the last few events, then puts the build in service. Async: the registry
///                   names the new build. Inline: its tables move into the store's database and
///                   replace the old ones.
///
/// Claim and build survive a crash at any point, and the next rebuild of the same definition
/// continues there. Databases that are no longer needed (the old build, a build of another
/// definition) are removed after the switch-over, or later by `remove_orphans`. The commit of the
/// switch-over ends the rebuild: errors after it are logged and not thrown.
class Rebuild {
public:
    Rebuild(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
            Lifecycle lifecycle, RebuildOptions options);

    RebuildResult run();

private:
    using Instant = std::chrono::steady_clock::time_point;

    /// If another process holds the lease, waits for it to run out.
    void claim();
    bool try_claim();
    /// Returns when the lease is free: its owner has released it, or is dead and it has run out.
    /// Throws UnavailableError if the owner renews it, or has it for longer than is waited for.
    void wait_for_owner();
    [[noreturn]] void throw_in_use(const Lease& lease);
    /// Creates the first model of an inline projection. Returns its tables and views.
    std::vector<std::string> create_first_model(Transaction& tx);
    /// Returns the database of the build still open: opening it again can take longer than a
    /// whole small build.
    std::unique_ptr<ReadModelDatabase> apply_log();
    std::unique_ptr<ReadModelDatabase> open_own_build();
    void catch_up_and_switch_over(ReadModelDatabase& build);
    /// Applies pages until everything up to `target` is committed.
    void apply_up_to(Projector& projector, Position target, RebuildPhase phase);
    /// False if an event fails: the old model stays in service, and the events are applied
    /// outside of the transaction first.
    bool switch_over(Projector& projector, ReadModelDatabase& build);
    bool switch_over_in(Transaction& tx, Projector& projector, ReadModelDatabase& build);
    /// Whether the switch-over was committed although its commit has thrown.
    bool is_in_service() noexcept;
    void replace_model(Sql& sql, ReadModelDatabase& build);
    void remove_leftovers() noexcept;

    void throw_if_stopped() const;
    void report_progress(RebuildPhase phase, Position position, Position target);
    /// The position as last reported, in the registry. REQUIRES: the lease is held.
    void record_progress(Transaction& tx);
    void release(const std::string& error) noexcept;

    EventStore store_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const ProjectionShape& shape_;
    CommittedLog log_;
    const RebuildOptions options_;
    const Instant started_;
    RebuildRow claim_;
    ProjectionRow replaced_;  ///< the model in service before the switch-over
    std::vector<std::string> leftovers_;
    RebuildResult result_;
    Position start_position_;  ///< of the build when this call began to apply events
    RebuildPhase phase_{};     ///< as last reported
    Instant progress_at_{};
    // Read by the thread that renews the lease.
    std::atomic<Position> position_{};
    std::atomic<Position> target_{};
    RebuildLease lease_;  ///< last: its thread uses what stands above
};

}  // namespace daybook::detail
