#include "daybook/messaging/dead_letters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "listing.hpp"
#include "message_row.hpp"
#include "names.hpp"

namespace daybook {
namespace {

/// The part of a dead letter that replay and discard need.
struct LetterKey {
    std::int64_t number;
    EventId id;
    std::string topic;
    std::string key;
};

constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

void require_clean(const DeadLetterFilter& filter) {
    detail::require_clean("topic", filter.topic);
    detail::require_clean("key", filter.key);
}

std::string describe(const DeadLetterFilter& filter) {
    std::string text;
    if (filter.id) text += " with the id " + filter.id->to_string();
    if (!filter.topic.empty()) text += " of topic '" + std::string(filter.topic) + "'";
    if (!filter.key.empty()) text += " of key '" + std::string(filter.key) + "'";
    return text;
}

void require_found(bool found, const DeadLetterFilter& filter) {
    if (found || describe(filter).empty()) return;
    throw NotFoundError("no message" + describe(filter) + " is parked: list those that are");
}

std::vector<LetterKey> find_keys(Sql& db, const DeadLetterFilter& filter,
                                 std::int64_t after = before_all) {
    std::vector<LetterKey> found;
    db.each(
        detail::sql::dead_letter_keys,
        [&](const SqlRow& row) {
            found.push_back(
                {row.integer(0), row.id(1), std::string(row.text(2)), std::string(row.text(3))});
        },
        after, filter.id.has_value(), filter.id, filter.topic, filter.topic, filter.key, filter.key,
        filter.limit);
    return found;
}

/// Whether the id of a dead letter is in the outbox, and with which contents.
enum class IdInOutbox { unused, same_message, other_message };

IdInOutbox find_id_in_outbox(Sql& db, const LetterKey& letter) {
    const auto is_same = db.integer(detail::sql::outbox_same_id, letter.number);
    if (!is_same) return IdInOutbox::unused;
    return *is_same != 0 ? IdInOutbox::same_message : IdInOutbox::other_message;
}

/// The dead letters that can be replayed, oldest first; the ids of the others go to `refused`.
std::vector<LetterKey> find_replayable(Sql& db, DeadLetterFilter filter,
                                       std::vector<EventId>& refused) {
    std::vector<LetterKey> letters;
    for (std::int64_t after = before_all; filter.limit > 0;) {
        std::vector<LetterKey> page = find_keys(db, filter, after);
        if (page.empty()) break;
        after = page.back().number;
        for (LetterKey& letter : page) {
            if (find_id_in_outbox(db, letter) == IdInOutbox::other_message) {
                refused.push_back(letter.id);
            } else {
                letters.push_back(std::move(letter));
                --filter.limit;
            }
        }
    }
    return letters;
}

std::vector<EventId> ids_of(const std::vector<LetterKey>& letters) {
    std::vector<EventId> ids;
    ids.reserve(letters.size());
    for (const LetterKey& letter : letters) ids.push_back(letter.id);
    return ids;
}

ParkReason parse_reason(std::string_view text, std::uint64_t number) {
    for (const auto reason : {ParkReason::rejected, ParkReason::unhandled, ParkReason::exhausted,
                              ParkReason::crashed}) {
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
        case ParkReason::unhandled: return "unhandled";
        case ParkReason::exhausted: return "exhausted";
        case ParkReason::crashed: return "crashed";
    }
    return "?";
}

std::vector<DeadLetter> DeadLetters::list(const DeadLetterFilter& filter) const {
    std::vector<DeadLetter> letters;
    each(filter, [&](const DeadLetter& letter) { letters.push_back(letter); });
    return letters;
}

void DeadLetters::each(const DeadLetterFilter& filter,
                       const std::function<void(const DeadLetter&)>& visit) const {
    require_clean(filter);
    const auto fetch = [&](Sql& db, const detail::ListPage& page, const auto& add) {
        db.each(
            detail::sql::dead_letter_rows,
            [&](const SqlRow& row) {
                DeadLetter letter = read_letter(row);
                const auto number = static_cast<std::int64_t>(letter.number);
                add(std::move(letter), number, row.is_null(detail::data_column));
            },
            page.data_max, page.data_max, page.after, filter.id.has_value(), filter.id,
            filter.topic, filter.topic, filter.key, filter.key, page.rows_max);
    };
    detail::each_in_pages<DeadLetter>(store_, {filter.limit, filter.with_data}, fetch,
                                      detail::sql::dead_letter_data, visit);
}

std::optional<DeadLetter> DeadLetters::find(const EventId& id) const {
    auto letters = list({.id = id, .limit = 1});
    if (letters.empty()) return std::nullopt;
    return std::move(letters.front());
}

std::vector<EventId> DeadLetters::dry_run(const DeadLetterFilter& filter) const {
    require_clean(filter);
    std::vector<EventId> ids;
    detail::query_store(store_, [&](Sql& db) { ids = ids_of(find_keys(db, filter)); });
    return ids;
}

Replayed DeadLetters::replay(const DeadLetterFilter& filter) {
    require_clean(filter);
    Replayed replayed;
    store_.transact([&](Transaction& tx) {
        Sql& db = detail::store_sql(tx);
        replayed = {};
        const auto letters = find_replayable(db, filter, replayed.refused);
        // Sequences below all of the outbox, in the order of parking: a replayed message has to be
        // delivered before the newer messages of its key.
        const std::int64_t front =
            std::min<std::int64_t>(db.integer(detail::sql::outbox_front).value_or(0), 0);
        std::int64_t sequence = front - static_cast<std::int64_t>(letters.size());
        for (const LetterKey& letter : letters) {
            const IdInOutbox found = find_id_in_outbox(db, letter);
            if (found == IdInOutbox::other_message) {
                replayed.refused.push_back(letter.id);
                continue;
            }
            if (found == IdInOutbox::unused) {
                db.exec(detail::sql::outbox_replay, sequence++, tx.now(), tx.now(), letter.number);
            } else {
                db.exec(detail::sql::outbox_move, sequence++, tx.now(), tx.now(), letter.id);
            }
            db.exec(detail::sql::dead_letter_remove, letter.number);
            replayed.ids.push_back(letter.id);
        }
    });
    if (!replayed.refused.empty()) {
        const std::string why =
            std::to_string(replayed.refused.size()) + " of the dead letters, the first " +
            replayed.refused.front().to_string() +
            ", cannot be replayed: another message of the same id waits in the outbox; discard one "
            "of the two";
        if (replayed.ids.empty()) throw DuplicateError(why);
        store_.log(LogLevel::warning, why);
    }
    require_found(!replayed.ids.empty(), filter);
    return replayed;
}

std::vector<EventId> DeadLetters::discard(const DeadLetterFilter& filter, std::string_view reason) {
    require_clean(filter);
    if (reason.find_first_not_of(" \t\r\n") == std::string_view::npos) {
        throw InvalidError("dead letters are discarded with a reason: give one");
    }
    std::vector<EventId> ids;
    store_.transact([&](Transaction& tx) {
        Sql& db = detail::store_sql(tx);
        const auto letters = find_keys(db, filter);
        const std::string kept_reason = clean_text(reason);
        for (const LetterKey& letter : letters) {
            db.exec(detail::sql::dead_letter_discard, tx.now(), kept_reason, letter.number);
            if (!letter.key.empty()) db.exec(detail::sql::outbox_unblock, letter.topic, letter.key);
        }
        ids = ids_of(letters);
    });
    require_found(!ids.empty(), filter);
    return ids;
}

std::size_t DeadLetters::purge_discarded(Timestamp before) {
    std::int64_t purged = 0;
    store_.transact([&](Transaction& tx) {
        purged = detail::store_sql(tx).exec(detail::sql::dead_letter_purge, before);
    });
    return static_cast<std::size_t>(purged);
}

}  // namespace daybook
