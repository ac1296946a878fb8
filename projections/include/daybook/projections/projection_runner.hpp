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

struct RebuildOptions {
    /// Told at least four times a second while events are applied, and at each new phase, on the
    /// thread that rebuilds. If it throws, the rebuild is left as it is and can be gone on with.
    std::function<void(const RebuildProgress&)> progress{};
    /// Leaves the rebuild with CancelledError; it can be gone on with.
    std::stop_token stop{};
    /// How much is lost at most when the process dies: a transaction ends after so many events,
    /// or after so much time if the projection gathers its rows in memory.
    std::size_t commit_events = 50'000;
    std::chrono::milliseconds commit_interval{5'000};
    /// What a keyed projection may hold in memory. Beyond that rows are written and read again.
    std::size_t rows_max = 4'000'000;
    std::size_t bytes_max = std::size_t{512} << 20;
    /// An owner that is not seen to be dead is replaced after so long without a sign of life.
    std::chrono::milliseconds owner_silent_max{30'000};
};

struct ProjectionRunnerOptions {
    /// Events of one transaction of a live model.
    std::size_t batch_events_max = 1'000;
    /// How often to look for work even if nobody rang.
    std::chrono::milliseconds poll{1'000};
    /// Rebuild a model that an older definition has made, one that was made of another log than the
    /// store has now, or one that lags `bulk_lag_min` behind from the very beginning; the old one
    /// goes on serving meanwhile, but for one of another log. Otherwise the first is `outdated` and
    /// the second `halted`.
    bool rebuild_outdated = true;
    std::uint64_t bulk_lag_min = 100'000;
    /// For the rebuilds that the runner begins by itself.
    RebuildOptions rebuild{};
};

/// Which parked events are given up: one, or all of a key.
struct DiscardParked {
    std::string key{};
    std::optional<Position> position{};
    std::string reason{};  ///< kept with the event
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
/// Each async projection has a thread of its own, so that one that fails, waits or is slow holds
/// up no other. Any number of runners, in one or several processes, may feed the same models: they
/// take turns. Models that this program does not define are shown but not touched.
///
/// Each model says of which log it was made: the store's identity and the event that it stands on.
/// A store that was put back from a backup, one begun anew under the same name, a log that lost its
/// tail and a model's file or schema that was swapped are noticed before anything is applied.
///
/// Nothing that happens to the store ends a thread of the runner: it waits until that is over, says
/// so in status and log, and goes on.
///
/// An inline projection is fed inside each append of this process from `start` (or the first
/// `run_once`) until the runner is gone; what programs without it have appended is brought in by
/// the next append or by the runner. If a handler throws for an event of the very append, that
/// append fails and nothing of it is stored, unless the policy is to park or skip.
///
/// Thread-safe but for `add`.
class ProjectionRunner {
public:
    explicit ProjectionRunner(EventStore store, ProjectionRunnerOptions options = {});
    ~ProjectionRunner();  ///< stops it

    /// Before `start`. Throws InvalidError for a definition that cannot be, or a name taken.
    template <DefinesProjection P>
    void add(P projection, Lifecycle lifecycle = Lifecycle::async) {
        add(std::make_unique<typename P::Definition>(std::move(projection)), lifecycle);
    }
    void add(std::unique_ptr<const ProjectionDefinition> definition,
             Lifecycle lifecycle = Lifecycle::async);

    /// Those that were added, in that order.
    std::vector<std::string> names() const;

    /// Makes what is missing, brings inline models up to date, then feeds on threads of its own,
    /// woken by commits. Throws what the database throws; handlers' errors go to `status`.
    void start();
    void stop();

    /// Applies what is there now to all models on the caller's thread, rebuilding outdated ones
    /// first; an event that failed is tried again when its time has come. Returns how many events
    /// were applied.
    std::uint64_t run_once();

    /// Waits until all models that were added have seen the log up to `position`. Somebody must
    /// feed them: this runner or another. False after `timeout`, or at once if one has halted.
    bool wait_for(Position position,
                  std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;
    /// The same for one model, whoever defines it. Throws NotFoundError.
    bool wait_for(std::string_view name, Position position,
                  std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;

    /// Every projection of the store and of this runner, by name.
    std::vector<ProjectionStatus> status() const;
    /// Throws NotFoundError.
    ProjectionStatus status(std::string_view name) const;

    /// Builds the model anew from the log beside the one in service, on this thread, and swaps them
    /// in one step; the old one serves until then and the log stays writable. Goes on with a build
    /// of the same definition that was left unfinished. Throws NotFoundError for a name that was
    /// not added, UnavailableError naming the owner if somebody else is at it or has taken it over,
    /// CancelledError, and InvalidError for an event whose handler fails when the policy is to
    /// halt. Once the new model is in service nothing is thrown any more: what is left of the old
    /// one and cannot be removed is said in the log and removed later.
    RebuildResult rebuild(std::string_view name, RebuildOptions options = {});

    /// As ReadModels::query.
    void query(std::string_view name, const std::function<void(Sql&)>& look) const;

    /// What the model in service has put aside, by position. Throws NotFoundError, as do those
    /// below for a name that was not added.
    std::vector<ParkedEvent> parked(std::string_view name, std::size_t limit = 1'000) const;
    /// Applies the parked events of `key`, or of every key, in order; a key stops at the first that
    /// fails again. Returns how many were applied.
    std::uint64_t replay_parked(std::string_view name, std::string_view key = {});
    /// Gives up parked events: they count as skipped from now on. Returns how many. To leave out
    /// only the one that fails, discard its position and replay its key.
    std::uint64_t discard_parked(std::string_view name, const DiscardParked& which);
    /// Lets a halted projection try its event again.
    void resume(std::string_view name);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
