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
    tables,  ///< copying the other tables: messages, inbox marks, snapshots, sagas
    verify,  ///< reading both logs again
};

/// The name of the phase: `verify`.
std::string_view to_string(MigrationPhase phase) noexcept;

/// How far a migration is in its phase.
struct MigrationProgress {
    MigrationPhase phase = MigrationPhase::events;
    std::uint64_t done = 0;   ///< events
    std::uint64_t total = 0;  ///< events
    double per_second = 0;    ///< events, since the start of the phase
};

/// How a migration copies, and how it is watched and stopped.
struct MigrationOptions {
    /// The most events of one transaction in the target.
    std::size_t batch_max = 5'000;
    /// Called on this thread, often.
    std::function<void(const MigrationProgress&)> progress{};
    std::stop_token stop{};
};

/// What a finished migration has done.
struct MigrationResult {
    std::uint64_t events = 0;  ///< in the log
    std::uint64_t copied = 0;  ///< of these, by this call; the others by earlier calls
    /// The number of rows that this call has copied, by table.
    std::vector<std::pair<std::string, std::uint64_t>> rows;
    /// The LogHash of each log as it is stored. They are equal, otherwise `migrate` has thrown.
    std::string source_hash;
    std::string target_hash;
    /// The projections of the source. Their read models have to be rebuilt on the target.
    std::vector<std::string> rebuild;
    std::chrono::milliseconds took{};
};

/// Moves a store to another location or engine. The target gets all events
/// with ids, versions, positions, times, metadata and trace; snapshots, inbox marks, undelivered
/// and parked messages, sagas with their timers and checkpoints, checkpoints of mirrors. Then both
/// logs are read again and compared by their running hash.
///
/// Read models are not copied: their tables belong to programs, which rebuild them on the target
/// from the same events. Leases are not copied either.
///
/// The target must be empty, or hold what an earlier call has copied from this source. In that case
/// it continues there, also after a kill. No program may write to either store meanwhile. Called
/// again for a finished migration, it only verifies.
///
///     migrate(EventStore::open("orders.db"), EventStore::open("new-orders.db"));
///
/// Throws InvalidError (the target holds something else, or is in use already; the source is not
/// the log that an earlier call has copied from), UnavailableError (the source was written to
/// meanwhile: call again to catch up; or a store cannot be reached), CorruptError (the logs differ;
/// it names position and stream), CancelledError, and what the stores throw. A later call can
/// continue after each of these errors except for logs that differ.
MigrationResult migrate(EventStore from, EventStore to, const MigrationOptions& options = {});

}  // namespace daybook
