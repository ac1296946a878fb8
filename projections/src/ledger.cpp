#include "ledger.hpp"

#include <utility>

#include "daybook/core/error.hpp"
#include "statements.hpp"

namespace daybook::detail {

Checkpoint empty_book(const EventId& store, std::string definition, std::int64_t epoch) {
    Checkpoint book;
    book.store = store;
    book.definition = std::move(definition);
    book.epoch = epoch;
    return book;
}

void Ledger::create() {
    sql_.exec(statements::create_checkpoint);
    sql_.exec(statements::create_set_aside);
    sql_.exec(statements::create_set_aside_by_key);
}

std::optional<Checkpoint> Ledger::load() {
    std::optional<Checkpoint> book;
    const auto count = [](const SqlRow& row, int column) {
        return static_cast<std::uint64_t>(row.integer(column));
    };
    EventId store;
    EventId event;
    const auto id = [](const SqlRow& row, int column) {
        return row.is_null(column) ? EventId{} : row.id(column);
    };
    sql_.each(
        home_ == Home::store ? statements::load_checkpoint_of_store : statements::load_checkpoint,
        [&](const SqlRow& row) {
            book.emplace();
            book->position = row.position(0);
            book->applied = count(row, 1);
            book->filtered = count(row, 2);
            book->parked = count(row, 3);
            book->skipped = count(row, 4);
            book->epoch = row.integer(5);
            book->indexed = row.integer(6) != 0;
            book->store = id(row, 7);
            book->event = id(row, 8);
            book->definition = row.text(9);
            if (home_ == Home::model) return;
            store = id(row, 10);
            event = id(row, 11);
        },
        projection_);
    if (!book) return book;
    check(*book);
    if (home_ == Home::store) require_fit(*book, store, event);
    return book;
}

void Ledger::insert(const Checkpoint& book) {
    if (home_ == Home::store) {
        sql_.exec(statements::insert_checkpoint_of_store, projection_, book.position, book.applied,
                  book.filtered, book.parked, book.skipped, book.epoch, book.indexed,
                  book.definition, book.position);
        return;
    }
    sql_.exec(statements::insert_checkpoint, projection_, book.position, book.applied,
              book.filtered, book.parked, book.skipped, book.epoch, book.indexed, book.store,
              SqlValue::id_or_null(book.event), book.definition);
}

void Ledger::advance(const Checkpoint& before, const Checkpoint& after) {
    check(after);
    const bool in_store = home_ == Home::store;
    const auto changed = sql_.exec(
        in_store ? statements::advance_checkpoint_of_store : statements::advance_checkpoint,
        after.position, after.applied, after.filtered, after.parked, after.skipped,
        in_store ? SqlValue{after.position} : SqlValue::id_or_null(after.event), projection_,
        before.position, before.epoch);
    if (changed == 1) return;
    throw UnavailableError("projection '" + std::string(projection_) +
                           "': somebody else has moved its checkpoint on from position " +
                           std::to_string(before.position.value()) + ": try again");
}

void Ledger::fence(std::int64_t epoch) {
    sql_.exec(statements::fence_checkpoint, epoch, projection_);
}

void Ledger::mark_indexed() { sql_.exec(statements::mark_indexed, projection_); }

void Ledger::erase() {
    sql_.exec(statements::delete_checkpoint, projection_);
    sql_.exec(statements::delete_all_set_aside, projection_);
}

bool Ledger::is_parked(std::string_view key) {
    return sql_.integer(statements::is_parked, projection_, key).has_value();
}

void Ledger::set_aside(const FailedEvent& event, bool parked, Timestamp now) {
    sql_.exec(statements::insert_set_aside, projection_, event.position, event.key, event.type,
              parked, event.error, "", event.attempts, now);
}

std::vector<ParkedEvent> Ledger::parked(std::size_t limit) {
    std::vector<ParkedEvent> events;
    sql_.each(
        statements::list_parked,
        [&](const SqlRow& row) {
            events.push_back({row.position(0), std::string(row.text(1)), std::string(row.text(2)),
                              std::string(row.text(3)), static_cast<int>(row.integer(4)),
                              row.timestamp(5)});
        },
        projection_, limit);
    return events;
}

std::vector<std::string> Ledger::parked_keys() {
    std::vector<std::string> keys;
    sql_.each(
        statements::list_parked_keys, [&](const SqlRow& row) { keys.emplace_back(row.text(0)); },
        projection_);
    return keys;
}

std::optional<Position> Ledger::first_parked(std::string_view key) {
    const auto found = sql_.integer(statements::next_parked, projection_, key);
    if (!found) return std::nullopt;
    return Position{static_cast<std::uint64_t>(*found)};
}

void Ledger::unpark(Position position) {
    sql_.exec(statements::delete_set_aside, projection_, position);
}

void Ledger::note_attempt(Position position, std::string_view error) {
    sql_.exec(statements::note_attempt, error, projection_, position);
}

std::uint64_t Ledger::discard(std::string_view key, std::string_view reason) {
    return static_cast<std::uint64_t>(
        sql_.exec(statements::discard_parked, reason, projection_, key));
}

std::uint64_t Ledger::discard_one(Position position, std::string_view reason) {
    return static_cast<std::uint64_t>(
        sql_.exec(statements::discard_one, reason, projection_, position));
}

void Ledger::require_fit(const Checkpoint& book, const EventId& store, const EventId& event) const {
    const auto refuse = [&](const std::string& why) {
        throw OtherLogError("projection '" + std::string(projection_) + "': " + why +
                            ": rebuild it");
    };
    if (book.store != store) {
        refuse("its model was made from the log of another store, " + book.store.to_string() +
               ", and this one is " + store.to_string());
    }
    if (book.event == event) return;
    const std::string stands = "its model stands on event " + book.event.to_string() +
                               " at position " + std::to_string(book.position.value());
    if (event.is_nil()) refuse(stands + ", beyond the end of the log, which has lost events");
    refuse(stands + ", where the log has " + event.to_string() +
           ": the log was put back from a backup, or has lost events");
}

void Ledger::check(const Accounting& book) const {
    if (book.sum() == book.position.value()) return;
    throw CorruptError("projection '" + std::string(projection_) +
                       "': " + std::to_string(book.applied) + " applied + " +
                       std::to_string(book.filtered) + " filtered + " +
                       std::to_string(book.parked) + " parked + " + std::to_string(book.skipped) +
                       " skipped is not position " + std::to_string(book.position.value()) +
                       ": events were lost or counted twice, rebuild it");
}

}  // namespace daybook::detail
