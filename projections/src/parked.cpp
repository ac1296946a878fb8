#include "parked.hpp"

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"

namespace daybook::detail {

namespace {

/// A transaction on the model, its book loaded, that is rolled back unless committed.
class Bookkeeping {
public:
    Bookkeeping(ReadModelDatabase& database, Home home, std::string_view projection)
        : ledger(database.sql(), projection, home), database_(database) {
        database_.begin();
        try {
            const auto found = ledger.load();
            if (!found) {
                throw CorruptError("projection '" + std::string(projection) +
                                   "': its model has lost its checkpoint: rebuild it");
            }
            before_ = book = *found;
        } catch (...) {
            database_.rollback();
            throw;
        }
    }
    ~Bookkeeping() {
        if (open_) database_.rollback();
    }
    Bookkeeping(const Bookkeeping&) = delete;
    Bookkeeping& operator=(const Bookkeeping&) = delete;

    void commit() {
        ledger.advance(before_, book);
        database_.commit();
        open_ = false;
    }

    Ledger ledger;
    Checkpoint book;

private:
    ReadModelDatabase& database_;
    Checkpoint before_;
    bool open_ = true;
};

/// Applies the first parked event of `key`. False if there is none or it fails again.
bool replay_first(Applier& applier, ReadModelDatabase& database, Home home, LogSource& log,
                  EventPage& page, std::string_view key) {
    const std::string& projection = applier.shape().name;
    std::optional<Position> position;
    std::optional<std::string> error;
    {
        Bookkeeping work{database, home, projection};
        position = work.ledger.first_parked(key);
        if (!position) return false;
        // One stored event; upcasting may have made several of it.
        log.read({.from = position->value(), .events_max = 1}, page);
        error = applier.apply_again(page, database.sql());
        if (!error) {
            work.ledger.unpark(*position);
            --work.book.parked;
            ++work.book.applied;
            work.commit();
            return true;
        }
    }
    applier.forget();
    Bookkeeping note{database, home, projection};
    note.ledger.note_attempt(*position, *error);
    note.commit();
    return false;
}

}  // namespace

std::uint64_t replay_parked(const ProjectionDefinition& definition, ReadModelDatabase& database,
                            Home home, LogSource& log, std::string_view key) {
    Applier applier{definition, {}};
    EventPage page;
    std::vector<std::string> keys{std::string(key)};
    if (key.empty()) keys = Ledger{database.sql(), definition.shape().name}.parked_keys();
    std::uint64_t applied = 0;
    for (const std::string& each : keys) {
        while (replay_first(applier, database, home, log, page, each)) ++applied;
    }
    return applied;
}

std::uint64_t discard_parked(std::string_view projection, ReadModelDatabase& database, Home home,
                             const DiscardParked& which) {
    Bookkeeping work{database, home, projection};
    const std::string reason = clean_text(which.reason);
    const std::uint64_t discarded = which.position
                                        ? work.ledger.discard_one(*which.position, reason)
                                        : work.ledger.discard(which.key, reason);
    work.book.parked -= discarded;
    work.book.skipped += discarded;
    work.commit();
    return discarded;
}

}  // namespace daybook::detail
