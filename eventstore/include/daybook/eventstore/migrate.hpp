#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// What a migration is doing.
enum class MigrationPhase {
    events,  ///< copying the log
    tables,  ///< copying what waits: messages, marks, snapshots, sagas
    verify,  ///< reading both logs again
};

/// The name of the phase: `verify`.
std::string_view to_string(MigrationPhase phase) noexcept;

/// How far a migration is in its phase.
struct MigrationProgress {
    MigrationPhase phase = MigrationPhase::events;
    std::uint64_t done = 0;   ///< events
    std::uint64_t total = 0;  ///< events
    double per_second = 0;    ///< events, since the phase began
};

/// How a migration copies, and how it is watched and stopped.
struct MigrationOptions {
    /// The most events of one unit in the target.
    std::size_t batch_max = 5'000;
    /// Called on this thread, often.
    std::function<void(const MigrationProgress&)> progress{};
    std::stop_token stop{};
};

/// What a finished migration has done.
struct MigrationResult {
    std::uint64_t events = 0;  ///< in the log
    std::uint64_t copied = 0;  ///< of them by this call; the others had come before
    /// Rows of each table that this call has copied.
    std::vector<std::pair<std::string, std::uint64_t>> rows;
    /// See LogHash; of both logs as they are stored. They are equal, or there is no result.
    std::string source_hash;
    std::string target_hash;
    /// Projections of the source: their read models are to be rebuilt on the target.
    std::vector<std::string> rebuild;
    std::chrono::milliseconds took{};
};

/// Moves a store to another place, between engines in every direction. The target gets all events
/// with ids, versions, positions, times, metadata and trace; snapshots, inbox marks, undelivered
/// and parked messages, sagas with their timers and checkpoints, checkpoints of mirrors. Then both
/// logs are read from the disks and compared by their running hash.
///
/// Read models are not copied: their tables belong to programs, which build them anew on the target
/// from the same events. Neither are leases.
///
/// The target must be empty, or hold what an earlier call has copied of this source: then it goes
/// on there, after a kill as well. Nothing may write to either meanwhile. Called again for a
/// finished migration it only verifies.
///
///     migrate(EventStore::open("orders.db"), EventStore::open("new-orders.db"));
///
/// Throws InvalidError (the target holds something else, or is in use already; the source is not
/// the log any more of which a part was copied), UnavailableError (the source was written to
/// meanwhile: call again to catch up; or a store cannot be reached), CorruptError (the logs differ,
/// by position and stream), CancelledError, and what the stores throw. In each case a later call
/// can go on, but for the logs that differ.
MigrationResult migrate(EventStore from, EventStore to, const MigrationOptions& options = {});

}  // namespace daybook
