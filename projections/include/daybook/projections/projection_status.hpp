#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/projections/lifecycle.hpp"

namespace daybook {

/// Whether a model can be fed, and if not, why.
enum class ProjectionState {
    absent,      ///< this program defines it, but it has never run on this store
    active,      ///< fed, or to be fed as soon as a runner runs
    retrying,    ///< an event or the database fails and is retried; `last_error` has the reason
    halted,      ///< the next event fails; correct the handler, then `resume` or rebuild
    outdated,    ///< its model was made by another definition or from another log: rebuild it
    superseded,  ///< its model was made by a newer definition: this program does not change it
};

/// The name of the state: `halted`.
std::string_view to_string(ProjectionState state) noexcept;

/// How far a model is, and what became of each event up to there. The four counts add up to the
/// position; a model in which they do not is corrupt and must be rebuilt.
struct Accounting {
    Position position;
    std::uint64_t applied = 0;   ///< given to a handler
    std::uint64_t filtered = 0;  ///< of types that the projection does not handle
    std::uint64_t parked = 0;    ///< waiting to be replayed
    std::uint64_t skipped = 0;   ///< never applied, with a reason

    std::uint64_t sum() const noexcept { return applied + filtered + parked + skipped; }
};

/// A rebuild that is under way or was left unfinished.
struct RebuildStatus {
    int version = 0;
    std::string owner;  ///< of its lease, `host/process/random`; empty: it was left unfinished
    Position position;
    Position target;
    Timestamp started_at;
    Timestamp updated_at;  ///< when the owner last wrote its position
    std::string error;     ///< with which it ended unfinished
};

/// A projection, its model in service, and its rebuild if there is one.
struct ProjectionStatus {
    std::string name;
    bool defined = false;  ///< the runner has its definition
    Lifecycle lifecycle = Lifecycle::async;
    ProjectionState state = ProjectionState::absent;
    int version = 0;         ///< of the definition that made the model in service
    std::int64_t build = 0;  ///< number of the build in service
    std::uint64_t lag = 0;   ///< events of the log after its position
    double rate = 0;         ///< events per second that this runner has applied lately
    Accounting accounting;
    std::string last_error;
    std::optional<RebuildStatus> rebuild;
};

/// An event that a projection has set aside until it is replayed or discarded.
struct ParkedEvent {
    Position position;
    std::string key;  ///< the stream, whose later events are parked as well
    std::string type;
    std::string error;  ///< of its handler, or that it waits for an earlier event
    int attempts = 0;   ///< 0: not tried, as an earlier event of its stream is parked
    Timestamp parked_at;
};

/// What a rebuild is doing.
enum class RebuildPhase {
    claimed,         ///< this call owns the rebuild; nothing is applied yet
    applying,        ///< applies the log up to where it ended at the start
    indexing,        ///< creates the definition's `indexes`
    finishing,       ///< syncs everything to the disk
    catching_up,     ///< applies what was appended meanwhile
    switching_over,  ///< inside the transaction that puts the new build in service
    done,            ///< in service
};

/// The name of the phase as a text has it: `catching up`.
std::string_view to_string(RebuildPhase phase) noexcept;

/// How far a rebuild is.
struct RebuildProgress {
    std::string_view name;
    RebuildPhase phase = RebuildPhase::claimed;
    Position position;  ///< everything up to here is applied
    Position target;
    double rate = 0;  ///< positions per second
    std::chrono::milliseconds eta{0};
};

/// What a finished rebuild has done.
struct RebuildResult {
    int version = 0;
    std::int64_t build = 0;
    Position position;          ///< of the model at the switch-over
    std::uint64_t scanned = 0;  ///< positions that this call has applied
    bool resumed = false;       ///< continued a build that was left unfinished
    std::chrono::milliseconds took{0};
};

}  // namespace daybook
