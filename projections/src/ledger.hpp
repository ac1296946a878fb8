#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/sql.hpp"
#include "daybook/projections/projection_status.hpp"
#include "log_place.hpp"

namespace daybook::detail {

/// A model's place in the log with its accounting, as it stands in the model's own database.
struct Checkpoint : Accounting {
    std::int64_t epoch = 0;  ///< of the rebuild that made it; others are fenced off
    bool indexed = true;     ///< the definition's indexes are there
    EventId store;           ///< whose log the position is in
    EventId event;           ///< the one at that position; nil before the first
    std::string definition;  ///< the fingerprint of the one that made the model
};

/// The book of an empty model.
Checkpoint empty_book(const EventId& store, std::string definition, std::int64_t epoch = 0);

/// Where a book stands.
enum class Home {
    model,  ///< in the model's own database
    store,  ///< in the store's, beside the log: it looks up for itself which events it stands on
};

/// An event that is not given to a model.
struct FailedEvent {
    Position position;
    std::string key;
    std::string type;
    std::string error;
    int attempts = 0;
};

/// The book of one model: checkpoint, accounting, and what was set aside. All of it acts inside the
/// transaction that is open on `sql`, together with the model's rows. Cheap to make.
class Ledger {
public:
    Ledger(Sql& sql, std::string_view projection, Home home = Home::model) noexcept
        : sql_(sql), projection_(projection), home_(home) {}

    /// Makes the tables if they are missing.
    void create();
    /// Throws CorruptError if the accounts do not add up, and at home in the store OtherLogError
    /// unless it fits.
    std::optional<Checkpoint> load();
    void insert(const Checkpoint& book);
    /// Writes `after` over `before`. Throws CorruptError if the accounts do not add up,
    /// UnavailableError if somebody else has changed the book.
    void advance(const Checkpoint& before, const Checkpoint& after);
    /// From now on only the claim with this epoch may write.
    void fence(std::int64_t epoch);
    void mark_indexed();
    /// Forgets the model's book.
    void erase();

    bool is_parked(std::string_view key);
    void set_aside(const FailedEvent& event, bool parked, Timestamp now);
    std::vector<ParkedEvent> parked(std::size_t limit);
    std::vector<std::string> parked_keys();
    std::optional<Position> first_parked(std::string_view key);
    void unpark(Position position);
    void note_attempt(Position position, std::string_view error);
    /// The parked events of `key` become skipped ones; returns how many.
    std::uint64_t discard(std::string_view key, std::string_view reason);
    /// The same for one event.
    std::uint64_t discard_one(Position position, std::string_view reason);

    /// Throws OtherLogError unless `book` is a place in the log in which `event` has its position.
    void require_fit(const Checkpoint& book, const EventId& store, const EventId& event) const;

private:
    void check(const Accounting& book) const;

    Sql& sql_;
    std::string_view projection_;
    Home home_;
};

}  // namespace daybook::detail
