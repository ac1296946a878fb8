#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

// Every statement of this folder. The tables are in schema/sql/*/0003_messaging.sql. An instant
// that a row waits for is
//     COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END)
// written just so everywhere, because it is the key of an index; NULL is "ready at once".

namespace daybook::detail::sql {

/// `retry_at` of a row that waits for another message of its key.
inline constexpr std::int64_t blocked = std::numeric_limits<std::int64_t>::max();

// --- relay ---------------------------------------------------------------------------------------

/// The newest sequence; whether anything is ready at once (1 or 0), whether the instant that
/// something waits for has come, whether anything was left to other programs; and the newest
/// instant at which something began to wait. Parameter: now. (What is ready is looked for from the
/// newest on, because relays at work have removed the oldest, which leaves a trail in the index.)
inline constexpr std::string_view outbox_look = R"(
SELECT (SELECT COALESCE(MAX(sequence), 0) FROM daybook_outbox),
       CASE WHEN (
           SELECT MAX(sequence) FROM daybook_outbox
           WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) IS NULL
       ) IS NULL THEN 0 ELSE 1 END,
       CASE WHEN EXISTS(
           SELECT 1 FROM daybook_outbox
           WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) <= ?
             AND unhandled = 0
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

/// Lets what began to wait in the future, that is before the clock was set back, wait from now on,
/// and no longer than it was to wait. Parameters: now, now, the instant from which on it is the
/// future.
inline constexpr std::string_view outbox_shorten = R"(
UPDATE daybook_outbox SET retry_at = retry_at - waits_since + ?, waits_since = ?
WHERE unhandled IN (0, 1) AND waits_since > ?)";

/// The instant of the oldest row that is ready at once; one row or none.
inline constexpr std::string_view outbox_first_ready = R"(
SELECT created_at FROM daybook_outbox
WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) IS NULL
ORDER BY sequence LIMIT 1)";

/// The nearest instant that a row waits for: blocked rows come last of all.
inline constexpr std::string_view outbox_next_wait = R"(
SELECT MIN(COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END)) FROM daybook_outbox)";

/// What is ready at once, by sequence. Parameters: how large data may be to come along (else NULL),
/// bit set of partitions, the sequence behind which it begins, newest sequence, limit.
/// The last column tells whether another message blocks the row's key; whether any message blocks
/// anything is looked up once for all rows. (As a minimum, which is the first entry of an index: to
/// see whether a row EXISTS, PostgreSQL reads the whole table if it takes most rows for such ones.)
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
WHERE COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END) IS NULL
  AND ((? >> o.partition) & 1) = 1 AND o.sequence > ? AND o.sequence <= ?
ORDER BY o.sequence LIMIT ?)";

/// What has waited for an instant that has come, by instant and sequence. Parameters: how large
/// data may be to come along, now, bit set of partitions, newest sequence, limit.
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
WHERE COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END) <= ?
  AND ((? >> o.partition) & 1) = 1 AND o.sequence <= ? AND o.unhandled = 0
ORDER BY COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END), o.sequence
LIMIT ?)";

/// What was left to other programs, without its data, in the order in which it was left.
/// Parameters: the instant and the sequence behind which it begins, limit.
inline constexpr std::string_view outbox_unhandled = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, NULL, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, 0, o.retry_at, o.waits_since
FROM daybook_outbox o
WHERE o.unhandled = 1 AND o.waits_since IS NOT NULL AND (o.waits_since, o.sequence) > (?, ?)
ORDER BY o.waits_since, o.sequence LIMIT ?)";

/// The same of what was left for as long as it may be. Parameters: now, limit.
inline constexpr std::string_view outbox_unhandled_due = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, NULL, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, 0, o.retry_at, o.waits_since
FROM daybook_outbox o
WHERE COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END) <= ?
  AND o.unhandled = 1
ORDER BY COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END), o.sequence
LIMIT ?)";

/// Parameters: sequence, id, whether it was left to other programs (1 or 0).
inline constexpr std::string_view outbox_data =
    "SELECT data FROM daybook_outbox WHERE sequence = ? AND id = ? AND unhandled = ?";

// Sequences are given again once a table has been empty, so a row is named by its id as well.

inline constexpr std::string_view outbox_remove =
    "DELETE FROM daybook_outbox WHERE sequence = ? AND id = ?";

/// Removes as many rows as it has parameters: ids. While its lease is held an id does not come back
/// under another sequence.
inline std::string outbox_remove_list(std::size_t ids) {
    std::string text = "DELETE FROM daybook_outbox WHERE id IN (?";
    for (std::size_t i = 1; i < ids; ++i) text += ", ?";
    return text + ')';
}

/// Parameters: attempts, next try, now, error, sequence, id.
inline constexpr std::string_view outbox_note_attempt =
    "UPDATE daybook_outbox"
    " SET attempts = ?, retry_at = ?, waits_since = ?, last_error = ?, unhandled = 0"
    " WHERE sequence = ? AND id = ?";

/// Counts an attempt before it is made, and takes that back. The parameters are the same; what was
/// left to other programs stays so, for as long as it was to.
inline constexpr std::string_view outbox_count_attempt = R"(
UPDATE daybook_outbox SET attempts = ?,
    retry_at = CASE WHEN unhandled = 1 THEN retry_at ELSE ? END,
    waits_since = CASE WHEN unhandled = 1 THEN waits_since ELSE ? END, last_error = ?
WHERE sequence = ? AND id = ?)";

/// Leaves a row to other programs. Parameters: until when, now, error, sequence, id.
inline constexpr std::string_view outbox_leave =
    "UPDATE daybook_outbox SET unhandled = 1, retry_at = ?, waits_since = ?, last_error = ?"
    " WHERE sequence = ? AND id = ?";

/// Sets a row aside, if its key is still blocked by another message.
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

/// Lets the rows of a topic and key go on that had been set aside.
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

// --- outbox, for people --------------------------------------------------------------------------

/// Parameter: now. Waiting, delayed, retrying, blocked, left to other programs, when the oldest of
/// those that are not delayed was made, when the newest of all was made or last tried.
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

/// Parameters: how large data may be to come along (twice), the sequence behind which they begin,
/// topic, topic, key, key, limit; an empty topic or key is any.
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

/// Parameters: how large data may be to come along (twice), the number behind which they begin,
/// whether an id is asked for (1 or 0), the id, topic twice, key twice, limit.
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

/// Parameters as of `dead_letter_rows`, from the number on.
inline constexpr std::string_view dead_letter_keys = R"(
SELECT number, id, topic, key FROM daybook_dead_letter
WHERE discarded_at IS NULL AND number > ? AND (? = 0 OR id = ?)
  AND (? = '' OR topic = ?) AND (? = '' OR key = ?)
ORDER BY number LIMIT ?)";

/// Whether what waits in the outbox under the id of a dead letter says the same (1 or 0); no row if
/// nothing does. Parameter: number.
inline constexpr std::string_view outbox_twin = R"(
SELECT CASE WHEN o.topic = d.topic AND o.key = d.key AND o.type = d.type
             AND o.schema_version = d.schema_version AND o.data = d.data THEN 1 ELSE 0 END
FROM daybook_dead_letter d JOIN daybook_outbox o ON o.id = d.id WHERE d.number = ?)";

/// Puts what waits where a replay of it would. Parameters: sequence, now, now, id.
inline constexpr std::string_view outbox_move = R"(
UPDATE daybook_outbox SET sequence = ?, retry_at = ?, waits_since = ?, attempts = 0, unhandled = 0,
                  last_error = NULL
WHERE id = ?)";

/// A sequence before all that wait.
inline constexpr std::string_view outbox_front = "SELECT MIN(sequence) FROM daybook_outbox";

/// Parameters: sequence, now, now, number. The instant makes it the blocker of its key: what waits
/// behind it stays where it is until it was delivered. A character is at most four bytes.
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

/// The end of a page of ?3 marks behind (?1, ?2): how far one unit looks.
inline constexpr std::string_view inbox_page_end = R"(
SELECT consumer, id FROM daybook_inbox WHERE (consumer, id) > (?, ?)
ORDER BY consumer, id LIMIT 1 OFFSET ?)";

/// Parameters: instant, consumer and id of the page's begin (exclusive) and end (inclusive).
inline constexpr std::string_view inbox_purge_page = R"(
DELETE FROM daybook_inbox
WHERE handled_at < ? AND (consumer, id) > (?, ?) AND (consumer, id) <= (?, ?))";

/// The rest behind the last full page.
inline constexpr std::string_view inbox_purge_rest =
    "DELETE FROM daybook_inbox WHERE handled_at < ? AND (consumer, id) > (?, ?)";

}  // namespace daybook::detail::sql
