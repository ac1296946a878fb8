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

enum class ProjectionState {
    absent,      ///< known to this program, but never run on this store
    active,      ///< fed, or to be fed as soon as a runner runs
    retrying,    ///< an event or the database fails; it is tried again, `last_error` says why
    halted,      ///< it stands in front of an event that fails; fix it and `resume` or rebuild
    outdated,    ///< its model was made by another definition or of another log: rebuild it
    superseded,  ///< its model was made by a newer definition: this program leaves it alone
};

std::string_view to_string(ProjectionState state) noexcept;

/// How far a model is and how each position up to there was accounted for. The four counts add up
/// to the position; a store in which they do not is refused.
struct Accounting {
    Position position;
    std::uint64_t applied = 0;   ///< given to a handler
    std::uint64_t filtered = 0;  ///< of no type that it handles
    std::uint64_t parked = 0;    ///< waiting to be replayed
    std::uint64_t skipped = 0;   ///< left out for good, with a reason

    std::uint64_t sum() const noexcept { return applied + filtered + parked + skipped; }
};

/// A rebuild that is under way or was left unfinished.
struct RebuildStatus {
    int version = 0;
    std::string owner;  ///< who works at it; empty: nobody, the next one goes on with it
    Position position;
    Position target;
    Timestamp started_at;
    Timestamp updated_at;  ///< the owner's last sign of life
    std::string error;     ///< why it was left
};

struct ProjectionStatus {
    std::string name;
    bool defined = false;  ///< this program has its handlers
    Lifecycle lifecycle = Lifecycle::async;
    ProjectionState state = ProjectionState::absent;
    int version = 0;         ///< of the definition that made the model in service
    std::int64_t build = 0;  ///< counts the builds of this projection
    std::uint64_t lag = 0;   ///< events of the log that it has not seen yet
    double rate = 0;         ///< events a second, as this runner fed it lately
    Accounting accounting;
    std::string last_error;
    std::optional<RebuildStatus> rebuild;
};

/// An event that a projection could not take.
struct ParkedEvent {
    Position position;
    std::string key;  ///< the stream that waits with it
    std::string type;
    std::string error;  ///< of the event itself, or which one it waits for
    int attempts = 0;   ///< 0: never tried, it waits behind another
    Timestamp parked_at;
};

enum class RebuildPhase {
    claimed,         ///< it is ours; nothing is built yet
    applying,        ///< the log is being read up to where it ended at the start
    indexing,        ///< the definition's `indexes` are being made
    finishing,       ///< everything goes to the disk
    catching_up,     ///< what was appended meanwhile
    switching_over,  ///< inside the transaction that puts the new model in service
    done,            ///< in service
};

std::string_view to_string(RebuildPhase phase) noexcept;

struct RebuildProgress {
    std::string_view name;
    RebuildPhase phase = RebuildPhase::claimed;
    Position position;  ///< everything up to here is in
    Position target;
    double rate = 0;  ///< positions a second
    std::chrono::milliseconds eta{0};
};

struct RebuildResult {
    int version = 0;
    std::int64_t build = 0;
    Position position;          ///< of the model when it went into service
    std::uint64_t scanned = 0;  ///< positions that this call went through
    bool resumed = false;       ///< went on with a build that was left unfinished
    std::chrono::milliseconds took{0};
};

}  // namespace daybook
