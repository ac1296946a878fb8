#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

// The tables of messages (schema/sql/*/0001_baseline/tables/{outbox,inbox,dead_letter}.sql): how an
// outbox row gets its partition, and all statements. Transactions write them, relays and operators
// work on them.

namespace daybook::detail {

/// An outbox row belongs to one partition, which one relay at a time delivers.
inline constexpr int partitions = 16;

/// The partition of a message's key, or of its id if it has none. FNV-1a. It must never change,
/// because partitions are stored: the messages of one key would be divided between two partitions,
/// and their order lost.
constexpr int partition_of(std::string_view text) noexcept {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211ULL;
    }
    return static_cast<int>((hash ^ (hash >> 32)) % partitions);
}

}  // namespace daybook::detail

namespace daybook::detail::sql {

// `waits_until` is the instant that a row waits for; NULL means "ready at once".

/// `retry_at` of a row that waits for another message of its key. The statements write it out.
inline constexpr std::int64_t blocked = std::numeric_limits<std::int64_t>::max();

// --- transactions --------------------------------------------------------------------------------

inline constexpr std::string_view outbox_insert =
    "INSERT INTO daybook_outbox(id, topic, key, partition, type, schema_version, data, bytes, "
    "headers, reply_to, correlation, causation, created_at, due_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(id) DO NOTHING";

inline constexpr std::string_view inbox_insert =
    "INSERT INTO daybook_inbox(consumer, id, handled_at, content) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(consumer, id) DO NOTHING";

inline constexpr std::string_view inbox_content =
    "SELECT content FROM daybook_inbox WHERE consumer = ? AND id = ?";

// --- relay ---------------------------------------------------------------------------------------

/// The newest sequence; whether a row is ready at once (1 or 0), whether the wait of a row has
/// ended, whether a row was left to other programs; and the latest start of a wait. Parameter: now.
/// (Searches ready rows from the newest on: relays delete the oldest, and the deleted entries stay
/// at the start of the index for a while.)
inline constexpr std::string_view outbox_summary = R"(
SELECT (SELECT COALESCE(MAX(sequence), 0) FROM daybook_outbox),
       CASE WHEN (
           SELECT MAX(sequence) FROM daybook_outbox WHERE waits_until IS NULL
       ) IS NULL THEN 0 ELSE 1 END,
       CASE WHEN EXISTS(
           SELECT 1 FROM daybook_outbox WHERE waits_until <= ? AND unhandled = 0
       ) THEN 1 ELSE 0 END,
       CASE WHEN EXISTS(
           SELECT 1 FROM daybook_outbox WHERE unhandled = 1 AND waits_since IS NOT NULL
       ) THEN 1 ELSE 0 END,
       (SELECT MAX(newest) FROM (
           SELECT MAX(waits_since) AS newest FROM daybook_outbox
           WHERE unhandled = 0 AND waits_since IS NOT NULL
           UNION ALL
           SELECT MAX(waits_since) FROM daybook_outbox
           WHERE unhandled = 1 AND waits_since IS NOT NULL) AS each_kind))";

/// Restarts, with their original length, the waits that started in the future, that is before the
/// clock was set back. Parameters: now, now, the instant after which a start is in the future.
inline constexpr std::string_view outbox_shorten = R"(
UPDATE daybook_outbox SET retry_at = retry_at - waits_since + ?, waits_since = ?
WHERE unhandled IN (0, 1) AND waits_since > ?)";

/// The instant of the oldest row that is ready at once; one row or none.
inline constexpr std::string_view outbox_first_ready =
    "SELECT created_at FROM daybook_outbox WHERE waits_until IS NULL ORDER BY sequence LIMIT 1";

/// The nearest instant that a row waits for; blocked rows come last.
inline constexpr std::string_view outbox_next_wait = "SELECT MIN(waits_until) FROM daybook_outbox";

/// The rows that are ready at once, by sequence. Parameters: the largest data to select (larger is
/// NULL), bit set of partitions, the sequence after which to start, newest sequence, limit.
/// The last column is 1 if another message blocks the row's key; whether any message blocks a key
/// at all is computed once for all rows. (As a minimum, the first entry of an index: for EXISTS,
/// PostgreSQL reads the whole table if it expects most rows to match.)
inline constexpr std::string_view outbox_ready = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version,
       CASE WHEN o.bytes <= ? THEN o.data END, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition,
       CASE WHEN o.key <> '' AND (
           (SELECT MIN(w.topic) FROM daybook_outbox w WHERE w.retry_at IS NOT NULL) IS NOT NULL
           OR (SELECT MIN(w.topic) FROM daybook_dead_letter w WHERE w.discarded_at IS NULL)
              IS NOT NULL) AND (
           EXISTS(SELECT 1 FROM daybook_outbox b WHERE b.topic = o.topic AND b.key = o.key
                  AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807)
           OR EXISTS(SELECT 1 FROM daybook_dead_letter d WHERE d.topic = o.topic AND d.key = o.key
                     AND d.discarded_at IS NULL)) THEN 1 ELSE 0 END
FROM daybook_outbox o
WHERE o.waits_until IS NULL
  AND ((? >> o.partition) & 1) = 1 AND o.sequence > ? AND o.sequence <= ?
ORDER BY o.sequence LIMIT ?)";

/// The rows whose wait has ended, by instant and sequence. Parameters: the largest data to select,
/// now, bit set of partitions, newest sequence, limit.
inline constexpr std::string_view outbox_due = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version,
       CASE WHEN o.bytes <= ? THEN o.data END, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition,
       CASE WHEN o.key <> '' AND (
           (SELECT MIN(w.topic) FROM daybook_outbox w WHERE w.retry_at IS NOT NULL) IS NOT NULL
           OR (SELECT MIN(w.topic) FROM daybook_dead_letter w WHERE w.discarded_at IS NULL)
              IS NOT NULL) AND (
           EXISTS(SELECT 1 FROM daybook_outbox b WHERE b.topic = o.topic AND b.key = o.key
                  AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807
                  AND (o.retry_at IS NULL OR b.sequence < o.sequence))
           OR EXISTS(SELECT 1 FROM daybook_dead_letter d WHERE d.topic = o.topic AND d.key = o.key
                     AND d.discarded_at IS NULL)) THEN 1 ELSE 0 END,
       o.retry_at, o.waits_since
FROM daybook_outbox o
WHERE o.waits_until <= ?
  AND ((? >> o.partition) & 1) = 1 AND o.sequence <= ? AND o.unhandled = 0
ORDER BY o.waits_until, o.sequence LIMIT ?)";

/// The rows left to other programs, without data, in the order in which they were left. Parameters:
/// the instant and the sequence after which to start, limit.
inline constexpr std::string_view outbox_unhandled = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, NULL, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, 0, o.retry_at, o.waits_since
FROM daybook_outbox o
WHERE o.unhandled = 1 AND o.waits_since IS NOT NULL AND (o.waits_since, o.sequence) > (?, ?)
ORDER BY o.waits_since, o.sequence LIMIT ?)";

/// Those of them whose wait for other programs has ended. Parameters: now, limit.
inline constexpr std::string_view outbox_unhandled_due = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, NULL, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, 0, o.retry_at, o.waits_since
FROM daybook_outbox o
WHERE o.waits_until <= ? AND o.unhandled = 1
ORDER BY o.waits_until, o.sequence LIMIT ?)";

/// Parameters: sequence, id, whether it was left to other programs (1 or 0).
inline constexpr std::string_view outbox_data =
    "SELECT data FROM daybook_outbox WHERE sequence = ? AND id = ? AND unhandled = ?";

// Sequences are reused after the table was empty, so statements identify a row by its id as well:
// by sequence alone, a slow relay could delete a newer message.

inline constexpr std::string_view outbox_remove =
    "DELETE FROM daybook_outbox WHERE sequence = ? AND id = ?";

/// Deletes the rows with the given ids. Without the sequence, because an id cannot come back under
/// another sequence while the lease on its partition is held.
inline std::string outbox_remove_list(std::size_t ids) {
    std::string text = "DELETE FROM daybook_outbox WHERE id IN (?";
    for (std::size_t i = 1; i < ids; ++i) text += ", ?";
    return text + ')';
}

/// Parameters: attempts, instant of the next one, now, error, sequence, id.
inline constexpr std::string_view outbox_record_attempt =
    "UPDATE daybook_outbox"
    " SET attempts = ?, retry_at = ?, waits_since = ?, last_error = ?, unhandled = 0"
    " WHERE sequence = ? AND id = ?";

/// Counts an attempt before it is made, or reverts that. Same parameters; a row left to other
/// programs stays so, and keeps the end of its wait.
inline constexpr std::string_view outbox_count_attempt = R"(
UPDATE daybook_outbox SET attempts = ?,
    retry_at = CASE WHEN unhandled = 1 THEN retry_at ELSE ? END,
    waits_since = CASE WHEN unhandled = 1 THEN waits_since ELSE ? END, last_error = ?
WHERE sequence = ? AND id = ?)";

/// Leaves a row to other programs. Parameters: until when, now, error, sequence, id.
inline constexpr std::string_view outbox_leave =
    "UPDATE daybook_outbox SET unhandled = 1, retry_at = ?, waits_since = ?, last_error = ?"
    " WHERE sequence = ? AND id = ?";

/// Marks a row as blocked, if another message still blocks its key.
inline constexpr std::string_view outbox_block = R"(
UPDATE daybook_outbox SET retry_at = 9223372036854775807, waits_since = NULL, unhandled = 0
WHERE sequence = ? AND id = ? AND (
    EXISTS(SELECT 1 FROM daybook_outbox b
           WHERE b.topic = daybook_outbox.topic AND b.key = daybook_outbox.key
           AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807
           AND (daybook_outbox.retry_at IS NULL OR b.sequence < daybook_outbox.sequence))
    OR EXISTS(SELECT 1 FROM daybook_dead_letter d
              WHERE d.topic = daybook_outbox.topic AND d.key = daybook_outbox.key
              AND d.discarded_at IS NULL)))";

/// Makes the blocked rows of a topic and key ready.
inline constexpr std::string_view outbox_unblock =
    "UPDATE daybook_outbox SET retry_at = NULL"
    " WHERE topic = ? AND key = ? AND retry_at = 9223372036854775807";

/// Parameters: attempts, reason, error, receiver, relay, now, sequence, id.
inline constexpr std::string_view dead_letter_park = R"(
INSERT INTO daybook_dead_letter(id, topic, key, partition, type, schema_version, data, headers,
                        reply_to, correlation, causation, created_at, due_at,
                        attempts, reason, error, receiver, parked_by, parked_at)
SELECT id, topic, key, partition, type, schema_version, data, headers, reply_to,
       correlation, causation, created_at, due_at, ?, ?, ?, ?, ?, ?
FROM daybook_outbox WHERE sequence = ? AND id = ?)";

// --- outbox, for operators -----------------------------------------------------------------------

/// Parameter: now. The numbers of rows waiting, delayed, retrying, blocked, left to other programs;
/// when the oldest row that is not delayed was published; when a row was last published or tried.
inline constexpr std::string_view outbox_counts = R"(
SELECT COUNT(CASE state WHEN 0 THEN 1 END), COUNT(CASE state WHEN 1 THEN 1 END),
       COUNT(CASE state WHEN 2 THEN 1 END), COUNT(CASE state WHEN 3 THEN 1 END),
       COUNT(CASE state WHEN 4 THEN 1 END),
       MIN(CASE WHEN state <> 1 THEN created_at END), MAX(touched_at)
FROM (SELECT created_at,
             CASE WHEN waits_since > created_at THEN waits_since ELSE created_at END AS touched_at,
             CASE WHEN unhandled = 1 THEN 4
                  WHEN retry_at = 9223372036854775807 THEN 3
                  WHEN retry_at IS NOT NULL AND attempts > 0 THEN 2
                  WHEN retry_at IS NULL AND due_at > created_at AND due_at > ? THEN 1
                  ELSE 0 END AS state
      FROM daybook_outbox) AS rows)";

/// Parameters: the largest data to select (twice), the sequence after which to start, topic, topic,
/// key, key, limit; an empty topic or key matches all.
inline constexpr std::string_view outbox_rows = R"(
SELECT id, topic, key, type, schema_version,
       CASE WHEN ? > 0 AND bytes <= ? THEN data END,
       headers, reply_to, correlation, causation, created_at, due_at, attempts,
       retry_at, last_error, unhandled, sequence
FROM daybook_outbox
WHERE sequence > ? AND (? = '' OR topic = ?) AND (? = '' OR key = ?)
ORDER BY sequence LIMIT ?)";

/// Parameter: sequence.
inline constexpr std::string_view outbox_data_at =
    "SELECT data FROM daybook_outbox WHERE sequence = ?";

// --- dead letters --------------------------------------------------------------------------------

inline constexpr std::string_view dead_letter_count =
    "SELECT COUNT(*) FROM daybook_dead_letter WHERE discarded_at IS NULL";

/// Parameters: the largest data to select (twice), the number after which to start, whether an id
/// is given (1 or 0), the id, topic twice, key twice, limit.
inline constexpr std::string_view dead_letter_rows = R"(
SELECT d.id, d.topic, d.key, d.type, d.schema_version,
       CASE WHEN ? > 0 AND length(d.data) <= ? THEN d.data END, d.headers, d.reply_to,
       d.correlation, d.causation, d.created_at, d.due_at, d.attempts,
       d.number, d.reason, d.error, d.receiver, d.parked_by, d.parked_at,
       (SELECT COUNT(*) FROM daybook_outbox o
        WHERE d.key <> '' AND o.topic = d.topic AND o.key = d.key
          AND o.retry_at = 9223372036854775807)
FROM daybook_dead_letter d
WHERE d.discarded_at IS NULL AND d.number > ? AND (? = 0 OR d.id = ?)
  AND (? = '' OR d.topic = ?) AND (? = '' OR d.key = ?)
ORDER BY d.number LIMIT ?)";

/// Parameter: number.
inline constexpr std::string_view dead_letter_data =
    "SELECT data FROM daybook_dead_letter WHERE number = ?";

/// Parameters as for `dead_letter_rows`, from the number on.
inline constexpr std::string_view dead_letter_keys = R"(
SELECT number, id, topic, key FROM daybook_dead_letter
WHERE discarded_at IS NULL AND number > ? AND (? = 0 OR id = ?)
  AND (? = '' OR topic = ?) AND (? = '' OR key = ?)
ORDER BY number LIMIT ?)";

/// Whether the row in the outbox with the id of a dead letter has the same contents (1 or 0); no
/// result if there is no such row. Parameter: number.
inline constexpr std::string_view outbox_same_id = R"(
SELECT CASE WHEN o.topic = d.topic AND o.key = d.key AND o.type = d.type
             AND o.schema_version = d.schema_version AND o.data = d.data THEN 1 ELSE 0 END
FROM daybook_dead_letter d JOIN daybook_outbox o ON o.id = d.id WHERE d.number = ?)";

/// Moves a row of the outbox to where a replay would insert it. Parameters: sequence, now, now, id.
inline constexpr std::string_view outbox_move = R"(
UPDATE daybook_outbox SET sequence = ?, retry_at = ?, waits_since = ?, attempts = 0, unhandled = 0,
                  last_error = NULL
WHERE id = ?)";

/// The lowest sequence.
inline constexpr std::string_view outbox_front = "SELECT MIN(sequence) FROM daybook_outbox";

/// Parameters: sequence, now, now, number. With `retry_at` set, the row blocks its key like a
/// retry, and its delivery unblocks the rows that wait for it; without it they would stay blocked.
/// A character has at most four bytes.
inline constexpr std::string_view outbox_replay = R"(
INSERT INTO daybook_outbox(sequence, id, topic, key, partition, type, schema_version, data, bytes,
                           headers, reply_to, correlation, causation, created_at, due_at,
                           retry_at, waits_since)
SELECT ?, id, topic, key, partition, type, schema_version, data, 4 * length(data), headers,
       reply_to, correlation, causation, created_at, due_at, ?, ?
FROM daybook_dead_letter WHERE number = ?)";

inline constexpr std::string_view dead_letter_remove =
    "DELETE FROM daybook_dead_letter WHERE number = ?";

inline constexpr std::string_view dead_letter_discard =
    "UPDATE daybook_dead_letter SET discarded_at = ?, discard_reason = ? WHERE number = ?";

inline constexpr std::string_view dead_letter_purge =
    "DELETE FROM daybook_dead_letter WHERE discarded_at < ?";

// --- inbox ---------------------------------------------------------------------------------------

inline constexpr std::string_view inbox_counts =
    "SELECT consumer, COUNT(*), MIN(handled_at), MAX(handled_at) FROM daybook_inbox"
    " GROUP BY consumer ORDER BY consumer";

/// The last of ?3 marks after (?1, ?2): the end of the page that one transaction purges.
inline constexpr std::string_view inbox_page_end = R"(
SELECT consumer, id FROM daybook_inbox WHERE (consumer, id) > (?, ?)
ORDER BY consumer, id LIMIT 1 OFFSET ?)";

/// Parameters: instant, consumer and id of the page's start (exclusive) and end (inclusive).
inline constexpr std::string_view inbox_purge_page = R"(
DELETE FROM daybook_inbox
WHERE handled_at < ? AND (consumer, id) > (?, ?) AND (consumer, id) <= (?, ?))";

/// The same after the last full page.
inline constexpr std::string_view inbox_purge_rest =
    "DELETE FROM daybook_inbox WHERE handled_at < ? AND (consumer, id) > (?, ?)";

}  // namespace daybook::detail::sql
