#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/sql.hpp"
#include "daybook/projections/projection_status.hpp"
#include "log_source.hpp"

namespace daybook::detail {

/// How far a model is in the log, and how each event up to there was accounted for.
struct Checkpoint : Accounting {
    /// Of the lease of the rebuild that may write the model, or has made it; 0: of none.
    std::uint64_t token = 0;
    bool indexed = true;     ///< the indexes of the definition exist
    EventId store;           ///< identity of the store whose log the position belongs to
    EventId event;           ///< id of the event at that position; nil at position 0
    std::string definition;  ///< fingerprint of the definition that made the model
};

/// The checkpoint of a model without events.
Checkpoint empty_checkpoint(const EventId& store, std::string definition, std::uint64_t token = 0);

/// Which database holds the checkpoint of a model.
enum class CheckpointLocation {
    model_database,  ///< the database of the model (async models and all builds)
    store_database,  ///< the database of the store (inline models): SQL reads the ids from the log
};

/// An event that a model has not taken.
struct FailedEvent {
    Position position;
    std::string key;
    std::string type;
    std::string error;
    int attempts = 0;
};

/// The tables `daybook_checkpoint` and `daybook_set_aside` as far as they belong to one model.
///
/// Every method works inside the transaction that the caller has open on `sql`, which is also the
/// transaction of the model's rows. If rows and checkpoint were committed apart, a crash between
/// the two would apply events twice or lose them. Cheap to construct.
class CheckpointTables {
public:
    CheckpointTables(Sql& sql, std::string_view projection,
                     CheckpointLocation location = CheckpointLocation::model_database) noexcept
        : sql_(sql), projection_(projection), location_(location) {}

    /// Creates the tables unless they exist.
    void create();
    /// Nothing if the model has no checkpoint. Throws CorruptError if the counts do not add up to
    /// the position; in the store's database also OtherLogError, as `require_same_log`.
    std::optional<Checkpoint> load();
    void insert(const Checkpoint& checkpoint);
    /// Replaces `before` by `after`, but only if the table still holds the position and the token
    /// of `before`: two processes that apply the same events cannot both commit. Throws
    /// UnavailableError if another process has moved the checkpoint, CorruptError if the counts do
    /// not add up.
    void advance(const Checkpoint& before, const Checkpoint& after);
    /// Writes `token`. A process that works with another one fails at its next transaction.
    void fence(std::uint64_t token);
    void mark_indexed();
    /// Deletes the checkpoint and all events set aside.
    void erase();

    bool is_parked(std::string_view key);
    /// Records an event as parked, or as skipped.
    void set_aside(const FailedEvent& event, bool parked, Timestamp now);
    std::vector<ParkedEvent> parked(std::size_t limit);
    std::vector<std::string> parked_keys();
    std::optional<Position> first_parked(std::string_view key);
    void unpark(Position position);
    void record_attempt(Position position, std::string_view error);
    /// Turns the parked events of `key` into skipped ones. Returns how many.
    std::uint64_t discard(std::string_view key, std::string_view reason);
    /// The same for one event.
    std::uint64_t discard_one(Position position, std::string_view reason);

    /// Throws OtherLogError unless `checkpoint` was taken in the log of `store`, and that log has
    /// `event` at the position of the checkpoint.
    void require_same_log(const Checkpoint& checkpoint, const EventId& store,
                          const EventId& event) const;

private:
    void check(const Accounting& checkpoint) const;

    Sql& sql_;
    std::string_view projection_;
    CheckpointLocation location_;
};

}  // namespace daybook::detail
