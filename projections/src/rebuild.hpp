#pragma once

#include <memory>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "model_feed.hpp"
#include "owner.hpp"
#include "registry.hpp"

namespace daybook::detail {

/// Builds a model anew beside the one in service and puts it in its place.
///
///     claim       one transaction of the store: a new epoch, an owner. Later writes check them.
///     apply       the log up to its head, in large transactions, into a database of its own
///     index       the definition's indexes, after the rows
///     finish      all of it to the disk
///     catch up    what was appended meanwhile
///     swap        one transaction of the store, in which no append can be under way: the last few
///                 events, then the registry points at the new build (async), or all that it
///                 holds is moved into the store in place of the old (inline)
///
/// The claim and the build survive a crash at any point, so the next call goes on where this one
/// ended. What is in the way of nobody (an old build, a build of another definition) is removed by
/// `remove_orphans`. From the swap on the rebuild is done: what fails after it is said in the log.
class Rebuild {
public:
    Rebuild(EventStore store, std::shared_ptr<const ProjectionDefinition> definition,
            Lifecycle lifecycle, RebuildOptions options);

    RebuildResult run();

private:
    using Instant = std::chrono::steady_clock::time_point;

    void claim();
    /// Returns the build's database: to connect again is dearer than a small build.
    std::unique_ptr<ReadModelDatabase> apply();
    void catch_up_and_swap(ReadModelDatabase& build);
    std::vector<std::string> make_first(Transaction& tx);
    /// Steps until the feed has committed everything up to `target`.
    void drive(ModelFeed& feed, Position target, RebuildPhase phase);
    /// False if an event fails; nothing was changed then.
    bool swap(ModelFeed& feed, ReadModelDatabase& build);
    bool swap_in_unit(Transaction& tx, ModelFeed& feed, ReadModelDatabase& build);
    /// Whether the swap is there although its commit has failed.
    bool is_in_service() noexcept;
    void clear_away() noexcept;
    void install(Sql& sql, ReadModelDatabase& build);
    void show(RebuildPhase phase, Position position, Position target);
    void tell(RebuildPhase phase, Position position, Position target);
    void report(Position position, Position target);
    void leave(const std::string& error) noexcept;
    [[noreturn]] void fail_taken_over() const;

    EventStore store_;
    const std::shared_ptr<const ProjectionDefinition> definition_;
    const ProjectionShape& shape_;
    CommittedLog log_;
    const RebuildOptions options_;
    const Instant started_;
    const Owner owner_;
    Unfinished claim_;
    Registered replaced_;  ///< as it stood at the swap
    std::vector<std::string> leftovers_;
    RebuildResult result_;
    Position began_at_;  ///< where this call took the build up
    RebuildPhase told_{};
    Instant told_at_{};
    Instant reported_at_{};
};

}  // namespace daybook::detail
