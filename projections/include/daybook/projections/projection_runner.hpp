#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/projections/lifecycle.hpp"
#include "daybook/projections/projection.hpp"
#include "daybook/projections/projection_status.hpp"

namespace daybook {

/// How a rebuild works, and how it is watched and stopped.
struct RebuildOptions {
    /// Called at least four times a second while events are applied, and at each new phase, on the
    /// thread that rebuilds. If it throws, the rebuild ends unfinished and can be continued.
    std::function<void(const RebuildProgress&)> progress{};
    /// Ends the rebuild with CancelledError. It can be continued.
    std::stop_token stop{};
    /// A transaction ends after so many events, or after so much time if the projection holds its
    /// rows in memory. A crash loses the work of one transaction.
    std::size_t commit_events = 50'000;
    std::chrono::milliseconds commit_interval{5'000};
    /// What a keyed projection may hold in memory. Beyond that it writes rows and reads them again.
    std::size_t rows_max = 4'000'000;
    std::size_t bytes_max = std::size_t{512} << 20;
    /// How long the lease lasts under which the model is rebuilt. A thread renews it while the
    /// rebuild runs, and a rebuild whose process has died goes on elsewhere when it has run out:
    /// the next one waits for that, for so long at most.
    std::chrono::milliseconds lease{5'000};
};

/// How a ProjectionRunner feeds its models, and when it rebuilds them.
struct ProjectionRunnerOptions {
    /// Events of one transaction of a live model.
    std::size_t batch_events_max = 1'000;
    /// How often to look for work when no commit was noticed, and the wait before a retry.
    std::chrono::milliseconds poll{1'000};
    /// Rebuild a model that was made by an older definition or from another log than the store has
    /// now, and an empty model if the log has `bulk_lag_min` events or more. Meanwhile the old
    /// model stays readable, unless it is of another log. If false, a model of an older definition
    /// is `outdated`, and one of another log `halted`.
    bool rebuild_outdated = true;
    std::uint64_t bulk_lag_min = 100'000;
    /// For rebuilds that the runner starts by itself.
    RebuildOptions rebuild{};
};

/// Which parked events to discard: the one at `position` if it is given, else all of `key`.
struct DiscardParked {
    std::string key{};
    std::optional<Position> position{};
    std::string reason{};  ///< stored with the event
};

/// Keeps read models up to date with the log, each event exactly once: rows and checkpoint are one
/// transaction.
///
///     ProjectionRunner projections{store};
///     projections.add(Balances{});
///     projections.add(Overdrafts{}, Lifecycle::inline_);
///     projections.start();
///     projections.wait_for(done.position);  // read your own write
///
/// Each projection has a thread of its own, so that a failing, waiting or slow one does not delay
/// the others. Any number of runners, in one or several processes, may feed the same models: they
/// take turns. `status` shows models that this program does not define, but the runner does not
/// change them.
///
/// Each model holds the identity of the store and the id of the event at its position. The runner
/// compares them with the log before it applies anything. So it notices a store that was restored
/// from a backup or created anew under the same name, a log that lost its last events, and a
/// model's file or schema that was exchanged.
///
/// No error of the store ends a thread of the runner: it reports the error in status and log,
/// waits, and retries.
///
/// An inline projection is fed inside each append of this process from `start` (or the first
/// `run_once`) until the runner is destroyed. Events that programs without it have appended are
/// applied by the next append or by the runner. If a handler throws for an event of the append
/// itself, the append fails and stores nothing, unless the policy is to park or skip.
///
/// Thread-safe but for `add`.
class ProjectionRunner {
public:
    explicit ProjectionRunner(EventStore store, ProjectionRunnerOptions options = {});
    ~ProjectionRunner();  ///< stops it

    /// Call it before `start` and `run_once`. Throws InvalidError for a definition that is not
    /// valid and for a name that was added before.
    template <DefinesProjection P>
    void add(P projection, Lifecycle lifecycle = Lifecycle::async) {
        add(std::make_unique<typename P::Definition>(std::move(projection)), lifecycle);
    }
    void add(std::unique_ptr<const ProjectionDefinition> definition,
             Lifecycle lifecycle = Lifecycle::async);

    /// The names of the added projections, in the order of `add`.
    std::vector<std::string> names() const;

    /// Brings inline models up to date, then creates missing models and feeds all on threads of its
    /// own, woken by commits. Throws what the database throws; errors of handlers go to `status`.
    void start();
    void stop();

    /// Applies the log to all models on the caller's thread, rebuilding outdated ones first. It
    /// does not wait for the retry of a failed event that is not due yet. Returns how many events
    /// were applied.
    std::uint64_t run_once();

    /// Waits until all added models exist and have seen the log up to `position`. This runner or
    /// another one must feed them meanwhile. False after `timeout`, or at once if a model has
    /// halted.
    bool wait_for(Position position,
                  std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;
    /// The same for one model, which another program may define. Throws NotFoundError.
    bool wait_for(std::string_view name, Position position,
                  std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;

    /// Every projection of the store and of this runner, sorted by name.
    std::vector<ProjectionStatus> status() const;
    /// Throws NotFoundError.
    ProjectionStatus status(std::string_view name) const;

    /// Makes a new build of the model from the log, on this thread, then switches over to it in one
    /// transaction. Until then the old build stays in service, and the log stays writable.
    /// Continues a build of the same definition that was left unfinished. Throws NotFoundError for
    /// a name that was not added, UnavailableError if another process is rebuilding the model (it
    /// names the owner) or has taken over this rebuild, CancelledError, and InvalidError for a
    /// failing event if the policy is to halt and for a `lease` that is not positive or `forever`.
    /// Throws nothing after the switch-over: an old build that cannot be removed is logged and
    /// removed later.
    RebuildResult rebuild(std::string_view name, RebuildOptions options = {});

    /// As ReadModels::query.
    void query(std::string_view name, const std::function<void(Sql&)>& look) const;

    /// The parked events of the model in service, by position. Throws NotFoundError; so do the
    /// functions below for a name that was not added.
    std::vector<ParkedEvent> parked(std::string_view name, std::size_t limit = 1'000) const;
    /// Applies the parked events of `key`, or of all keys if it is empty, in order. A key stops at
    /// the first event that fails again. Returns how many were applied.
    std::uint64_t replay_parked(std::string_view name, std::string_view key = {});
    /// Turns parked events into skipped ones. Returns how many. To skip only the event that fails,
    /// discard its position, then replay its key.
    std::uint64_t discard_parked(std::string_view name, const DiscardParked& which);
    /// Lets a halted projection try its event again.
    void resume(std::string_view name);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
