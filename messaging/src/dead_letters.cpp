#include "daybook/messaging/dead_letters.hpp"

#include <algorithm>
#include <utility>

#include "daybook/core/error.hpp"
#include "message_row.hpp"
#include "statements.hpp"

namespace daybook {
namespace {

/// A dead letter as far as it is needed to act on it.
struct LetterKey {
    std::int64_t number;
    EventId id;
    std::string topic;
    std::string key;
};

std::vector<LetterKey> find_keys(Sql& db, const DeadLetterFilter& filter) {
    std::vector<LetterKey> found;
    db.each(
        detail::sql::dead_letter_keys,
        [&](const SqlRow& row) {
            found.push_back(
                {row.integer(0), row.id(1), std::string(row.text(2)), std::string(row.text(3))});
        },
        filter.id.has_value(), filter.id, filter.topic, filter.topic, filter.key, filter.key,
        filter.limit);
    return found;
}

std::vector<EventId> ids_of(const std::vector<LetterKey>& letters) {
    std::vector<EventId> ids;
    ids.reserve(letters.size());
    for (const LetterKey& letter : letters) ids.push_back(letter.id);
    return ids;
}

ParkReason parse_reason(std::string_view text, std::uint64_t number) {
    for (const auto reason : {ParkReason::rejected, ParkReason::exhausted, ParkReason::crashed}) {
        if (text == to_string(reason)) return reason;
    }
    throw CorruptError("dead letter " + std::to_string(number) + " was parked for the reason '" +
                       std::string(text) + "', which this build does not know");
}

DeadLetter read_letter(const SqlRow& row) {
    constexpr int first = detail::message_columns;
    DeadLetter letter;
    letter.message = detail::read_message(row);
    letter.number = static_cast<std::uint64_t>(row.integer(first));
    letter.reason = parse_reason(row.text(first + 1), letter.number);
    letter.error = row.text(first + 2);
    letter.receiver = row.text(first + 3);
    letter.parked_by = row.text(first + 4);
    letter.parked_at = row.timestamp(first + 5);
    letter.holds = static_cast<std::size_t>(row.integer(first + 6));
    return letter;
}

}  // namespace

std::string_view to_string(ParkReason reason) noexcept {
    switch (reason) {
        case ParkReason::rejected: return "rejected";
        case ParkReason::exhausted: return "exhausted";
        case ParkReason::crashed: return "crashed";
    }
    return "?";
}

std::vector<DeadLetter> DeadLetters::list(const DeadLetterFilter& filter) const {
    std::vector<DeadLetter> letters;
    store_.query([&](Sql& db) {
        db.each(
            detail::sql::dead_letter_rows,
            [&](const SqlRow& row) { letters.push_back(read_letter(row)); }, filter.id.has_value(),
            filter.id, filter.topic, filter.topic, filter.key, filter.key, filter.limit);
    });
    return letters;
}

std::optional<DeadLetter> DeadLetters::find(const EventId& id) const {
    auto letters = list({.id = id, .limit = 1});
    if (letters.empty()) return std::nullopt;
    return std::move(letters.front());
}

std::vector<EventId> DeadLetters::dry_run(const DeadLetterFilter& filter) const {
    std::vector<EventId> ids;
    store_.query([&](Sql& db) { ids = ids_of(find_keys(db, filter)); });
    return ids;
}

std::vector<EventId> DeadLetters::replay(const DeadLetterFilter& filter) {
    std::vector<EventId> ids;
    store_.transact([&](Transaction& tx) {
        Sql& db = tx.sql();
        const auto letters = find_keys(db, filter);
        // Places in the outbox below all that wait, in the order of parking.
        const std::int64_t front =
            std::min<std::int64_t>(db.integer(detail::sql::outbox_front).value_or(0), 0);
        std::int64_t sequence = front - static_cast<std::int64_t>(letters.size());
        for (const LetterKey& letter : letters) {
            if (db.integer(detail::sql::outbox_has_id, letter.id)) {
                throw DuplicateError("dead letter " + letter.id.to_string() +
                                     " cannot be replayed: a message of the same id waits in the "
                                     "outbox; discard one of the two");
            }
            db.exec(detail::sql::outbox_replay, sequence++, tx.now(), letter.number);
            db.exec(detail::sql::dead_letter_remove, letter.number);
        }
        ids = ids_of(letters);
    });
    return ids;
}

std::vector<EventId> DeadLetters::discard(const DeadLetterFilter& filter, std::string_view reason) {
    if (reason.empty()) throw InvalidError("dead letters are discarded with a reason: give one");
    std::vector<EventId> ids;
    store_.transact([&](Transaction& tx) {
        Sql& db = tx.sql();
        const auto letters = find_keys(db, filter);
        for (const LetterKey& letter : letters) {
            db.exec(detail::sql::dead_letter_discard, tx.now(), reason, letter.number);
            if (!letter.key.empty()) db.exec(detail::sql::outbox_unblock, letter.topic, letter.key);
        }
        ids = ids_of(letters);
    });
    return ids;
}

std::size_t DeadLetters::purge_discarded(Timestamp before) {
    std::int64_t purged = 0;
    store_.transact(
        [&](Transaction& tx) { purged = tx.sql().exec(detail::sql::dead_letter_purge, before); });
    return static_cast<std::size_t>(purged);
}

}  // namespace daybook
