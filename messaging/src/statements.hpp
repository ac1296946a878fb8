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

/// The newest sequence, whether anything is ready at once (1 or 0), and whether the instant that
/// something waits for has come. Parameter: now.
inline constexpr std::string_view outbox_look = R"(
SELECT (SELECT COALESCE(MAX(sequence), 0) FROM outbox),
       CASE WHEN EXISTS(
           SELECT 1 FROM outbox
           WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) IS NULL
       ) THEN 1 ELSE 0 END,
       CASE WHEN EXISTS(
           SELECT 1 FROM outbox
           WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) <= ?
       ) THEN 1 ELSE 0 END)";

/// The instant of the oldest row that is ready at once; one row or none.
inline constexpr std::string_view outbox_first_ready = R"(
SELECT created_at FROM outbox
WHERE COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END) IS NULL
ORDER BY sequence LIMIT 1)";

/// The nearest instant that a row waits for: blocked rows come last of all.
inline constexpr std::string_view outbox_next_wait = R"(
SELECT MIN(COALESCE(retry_at, CASE WHEN due_at > created_at THEN due_at END)) FROM outbox)";

/// What is ready at once, by sequence. Parameters: bit set of partitions, the sequence behind which
/// it begins, newest sequence, limit.
/// The last column tells whether another message blocks the row's key; whether any message blocks
/// anything is looked up once for all rows.
inline constexpr std::string_view outbox_ready = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, o.data, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, o.retry_at, o.created_at,
       CASE WHEN o.key <> '' AND (
           EXISTS(SELECT 1 FROM outbox w WHERE w.retry_at IS NOT NULL)
           OR EXISTS(SELECT 1 FROM dead_letter w WHERE w.discarded_at IS NULL)) AND (
           EXISTS(SELECT 1 FROM outbox b WHERE b.topic = o.topic AND b.key = o.key
                  AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807)
           OR EXISTS(SELECT 1 FROM dead_letter d WHERE d.topic = o.topic AND d.key = o.key
                     AND d.discarded_at IS NULL)) THEN 1 ELSE 0 END
FROM outbox o
WHERE COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END) IS NULL
  AND ((? >> o.partition) & 1) = 1 AND o.sequence > ? AND o.sequence <= ?
ORDER BY o.sequence LIMIT ?)";

/// What has waited for an instant that has come, by instant and sequence. Parameters: now, bit set
/// of partitions, newest sequence, limit.
inline constexpr std::string_view outbox_due = R"(
SELECT o.id, o.topic, o.key, o.type, o.schema_version, o.data, o.headers, o.reply_to,
       o.correlation, o.causation, o.created_at, o.due_at, o.attempts,
       o.sequence, o.partition, o.retry_at,
       COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END),
       CASE WHEN o.key <> '' AND (
           EXISTS(SELECT 1 FROM outbox w WHERE w.retry_at IS NOT NULL)
           OR EXISTS(SELECT 1 FROM dead_letter w WHERE w.discarded_at IS NULL)) AND (
           EXISTS(SELECT 1 FROM outbox b WHERE b.topic = o.topic AND b.key = o.key
                  AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807
                  AND (o.retry_at IS NULL OR b.sequence < o.sequence))
           OR EXISTS(SELECT 1 FROM dead_letter d WHERE d.topic = o.topic AND d.key = o.key
                     AND d.discarded_at IS NULL)) THEN 1 ELSE 0 END
FROM outbox o
WHERE COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END) <= ?
  AND ((? >> o.partition) & 1) = 1 AND o.sequence <= ?
ORDER BY COALESCE(o.retry_at, CASE WHEN o.due_at > o.created_at THEN o.due_at END), o.sequence
LIMIT ?)";

// Sequences are given again once a table has been empty, so a row is named by its id as well.

inline constexpr std::string_view outbox_remove =
    "DELETE FROM outbox WHERE sequence = ? AND id = ?";

/// Removes as many rows as it has parameters: ids. While its lease is held an id does not come back
/// under another sequence.
inline std::string outbox_remove_list(std::size_t ids) {
    std::string text = "DELETE FROM outbox WHERE id IN (?";
    for (std::size_t i = 1; i < ids; ++i) text += ", ?";
    return text + ')';
}

/// Attempts, next try, error of a row; also how an attempt is counted before it is made.
inline constexpr std::string_view outbox_note_attempt =
    "UPDATE outbox SET attempts = ?, retry_at = ?, last_error = ? WHERE sequence = ? AND id = ?";

/// Sets a row aside, if its key is still blocked by another message.
inline constexpr std::string_view outbox_block = R"(
UPDATE outbox SET retry_at = 9223372036854775807
WHERE sequence = ? AND id = ? AND (
    EXISTS(SELECT 1 FROM outbox b WHERE b.topic = outbox.topic AND b.key = outbox.key
           AND b.retry_at IS NOT NULL AND b.retry_at < 9223372036854775807
           AND (outbox.retry_at IS NULL OR b.sequence < outbox.sequence))
    OR EXISTS(SELECT 1 FROM dead_letter d WHERE d.topic = outbox.topic AND d.key = outbox.key
              AND d.discarded_at IS NULL)))";

/// Lets the rows of a topic and key go on that had been set aside.
inline constexpr std::string_view outbox_unblock =
    "UPDATE outbox SET retry_at = NULL"
    " WHERE topic = ? AND key = ? AND retry_at = 9223372036854775807";

/// Parameters: attempts, reason, error, receiver, relay, now, sequence, id.
inline constexpr std::string_view dead_letter_park = R"(
INSERT INTO dead_letter(id, topic, key, partition, type, schema_version, data, headers, reply_to,
                        correlation, causation, created_at, due_at,
                        attempts, reason, error, receiver, parked_by, parked_at)
SELECT id, topic, key, partition, type, schema_version, data, headers, reply_to,
       correlation, causation, created_at, due_at, ?, ?, ?, ?, ?, ?
FROM outbox WHERE sequence = ? AND id = ?)";

// --- outbox, for people --------------------------------------------------------------------------

/// Parameter: now. Waiting, delayed, retrying, blocked, when the oldest of those that are not
/// delayed was made.
inline constexpr std::string_view outbox_counts = R"(
SELECT COUNT(CASE state WHEN 0 THEN 1 END), COUNT(CASE state WHEN 1 THEN 1 END),
       COUNT(CASE state WHEN 2 THEN 1 END), COUNT(CASE state WHEN 3 THEN 1 END),
       MIN(CASE WHEN state <> 1 THEN created_at END)
FROM (SELECT created_at,
             CASE WHEN retry_at = 9223372036854775807 THEN 3
                  WHEN retry_at IS NOT NULL AND attempts > 0 THEN 2
                  WHEN retry_at IS NULL AND due_at > created_at AND due_at > ? THEN 1
                  ELSE 0 END AS state
      FROM outbox) AS rows)";

/// Parameters: topic, topic, key, key, limit; an empty topic or key is any.
inline constexpr std::string_view outbox_rows = R"(
SELECT id, topic, key, type, schema_version, data, headers, reply_to, correlation, causation,
       created_at, due_at, attempts, retry_at, last_error
FROM outbox
WHERE (? = '' OR topic = ?) AND (? = '' OR key = ?)
ORDER BY sequence LIMIT ?)";

// --- dead letters --------------------------------------------------------------------------------

inline constexpr std::string_view dead_letter_count =
    "SELECT COUNT(*) FROM dead_letter WHERE discarded_at IS NULL";

/// Parameters: whether an id is asked for (1 or 0), the id, topic twice, key twice, limit.
inline constexpr std::string_view dead_letter_rows = R"(
SELECT d.id, d.topic, d.key, d.type, d.schema_version, d.data, d.headers, d.reply_to,
       d.correlation, d.causation, d.created_at, d.due_at, d.attempts,
       d.number, d.reason, d.error, d.receiver, d.parked_by, d.parked_at,
       (SELECT COUNT(*) FROM outbox o WHERE d.key <> '' AND o.topic = d.topic AND o.key = d.key
        AND o.retry_at = 9223372036854775807)
FROM dead_letter d
WHERE d.discarded_at IS NULL AND (? = 0 OR d.id = ?)
  AND (? = '' OR d.topic = ?) AND (? = '' OR d.key = ?)
ORDER BY d.number LIMIT ?)";

/// Parameters as of `dead_letter_rows`.
inline constexpr std::string_view dead_letter_keys = R"(
SELECT number, id, topic, key FROM dead_letter
WHERE discarded_at IS NULL AND (? = 0 OR id = ?)
  AND (? = '' OR topic = ?) AND (? = '' OR key = ?)
ORDER BY number LIMIT ?)";

inline constexpr std::string_view outbox_has_id = "SELECT 1 FROM outbox WHERE id = ?";

/// A sequence before all that wait.
inline constexpr std::string_view outbox_front = "SELECT MIN(sequence) FROM outbox";

/// Parameters: sequence, now, number. The instant makes it the blocker of its key: what waits
/// behind it stays where it is until it was delivered.
inline constexpr std::string_view outbox_replay = R"(
INSERT INTO outbox(sequence, id, topic, key, partition, type, schema_version, data, headers,
                   reply_to, correlation, causation, created_at, due_at, retry_at)
SELECT ?, id, topic, key, partition, type, schema_version, data, headers,
       reply_to, correlation, causation, created_at, due_at, ?
FROM dead_letter WHERE number = ?)";

inline constexpr std::string_view dead_letter_remove = "DELETE FROM dead_letter WHERE number = ?";

inline constexpr std::string_view dead_letter_discard =
    "UPDATE dead_letter SET discarded_at = ?, discard_reason = ? WHERE number = ?";

inline constexpr std::string_view dead_letter_purge =
    "DELETE FROM dead_letter WHERE discarded_at < ?";

// --- inbox ---------------------------------------------------------------------------------------

inline constexpr std::string_view inbox_counts =
    "SELECT consumer, COUNT(*), MIN(handled_at), MAX(handled_at) FROM inbox"
    " GROUP BY consumer ORDER BY consumer";

/// The end of a page of ?3 marks behind (?1, ?2): how far one unit looks.
inline constexpr std::string_view inbox_page_end = R"(
SELECT consumer, id FROM inbox WHERE (consumer, id) > (?, ?)
ORDER BY consumer, id LIMIT 1 OFFSET ?)";

/// Parameters: instant, consumer and id of the page's begin (exclusive) and end (inclusive).
inline constexpr std::string_view inbox_purge_page = R"(
DELETE FROM inbox
WHERE handled_at < ? AND (consumer, id) > (?, ?) AND (consumer, id) <= (?, ?))";

/// The rest behind the last full page.
inline constexpr std::string_view inbox_purge_rest =
    "DELETE FROM inbox WHERE handled_at < ? AND (consumer, id) > (?, ?)";

}  // namespace daybook::detail::sql
