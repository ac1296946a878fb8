#include "parked.hpp"

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"

namespace daybook::detail {

namespace {

/// A transaction on a model with its checkpoint loaded; rolled back unless committed.
class CheckpointTransaction {
public:
    CheckpointTransaction(ReadModelDatabase& database, CheckpointLocation location,
                          std::string_view projection)
        : tables(database.sql(), projection, location), database_(database) {
        database_.begin();
        try {
            const auto found = tables.load();
            if (!found) {
                throw CorruptError("projection '" + std::string(projection) +
                                   "': its model has lost its checkpoint: rebuild it");
            }
            before_ = checkpoint = *found;
        } catch (...) {
            database_.rollback();
            throw;
        }
    }
    ~CheckpointTransaction() {
        if (open_) database_.rollback();
    }
    CheckpointTransaction(const CheckpointTransaction&) = delete;
    CheckpointTransaction& operator=(const CheckpointTransaction&) = delete;

    void commit() {
        tables.advance(before_, checkpoint);
        database_.commit();
        open_ = false;
    }

    CheckpointTables tables;
    Checkpoint checkpoint;

private:
    ReadModelDatabase& database_;
    Checkpoint before_;
    bool open_ = true;
};

/// Applies the first parked event of `key`. False if there is none or it fails again.
bool replay_first(Applier& applier, ReadModelDatabase& database, CheckpointLocation location,
                  LogSource& log, EventPage& page, std::string_view key) {
    const std::string& projection = applier.shape().name;
    std::optional<Position> position;
    std::optional<std::string> error;
    {
        CheckpointTransaction work{database, location, projection};
        position = work.tables.first_parked(key);
        if (!position) return false;
        // One stored event, which upcasters may turn into several.
        log.read({.from = position->value(), .events_max = 1}, page);
        error = applier.replay(page, database.sql());
        if (!error) {
            work.tables.unpark(*position);
            --work.checkpoint.parked;
            ++work.checkpoint.applied;
            work.commit();
            return true;
        }
    }
    applier.forget();
    CheckpointTransaction failed{database, location, projection};
    failed.tables.record_attempt(*position, *error);
    failed.commit();
    return false;
}

}  // namespace

std::uint64_t replay_parked(const ProjectionDefinition& definition, ReadModelDatabase& database,
                            CheckpointLocation location, LogSource& log, std::string_view key) {
    Applier applier{definition, {}};
    EventPage page;
    std::vector<std::string> keys{std::string(key)};
    if (key.empty()) keys = CheckpointTables{database.sql(), definition.shape().name}.parked_keys();
    std::uint64_t applied = 0;
    for (const std::string& each : keys) {
        while (replay_first(applier, database, location, log, page, each)) ++applied;
    }
    return applied;
}

std::uint64_t discard_parked(std::string_view projection, ReadModelDatabase& database,
                             CheckpointLocation location, const DiscardParked& which) {
    CheckpointTransaction work{database, location, projection};
    const std::string reason = clean_text(which.reason);
    const std::uint64_t discarded = which.position
                                        ? work.tables.discard_one(*which.position, reason)
                                        : work.tables.discard(which.key, reason);
    work.checkpoint.parked -= discarded;
    work.checkpoint.skipped += discarded;
    work.commit();
    return discarded;
}

}  // namespace daybook::detail
