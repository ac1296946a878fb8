#pragma once

#include <string_view>

// All SQL statements of this folder.

namespace daybook::detail::sql {

inline constexpr std::string_view upsert_saga =
    "INSERT INTO daybook_saga(definition, key, generation, version, hash, status, step, error, "
    "journal_version, waiting_since, due_at, updated_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(definition, key) DO UPDATE SET generation = excluded.generation, "
    "version = excluded.version, hash = excluded.hash, status = excluded.status, "
    "step = excluded.step, error = excluded.error, journal_version = excluded.journal_version, "
    "waiting_since = excluded.waiting_since, due_at = excluded.due_at, "
    "updated_at = excluded.updated_at";
inline constexpr std::string_view delete_sagas = "DELETE FROM daybook_saga";

// A list starts after a definition and key; the first page starts after two empty texts.
inline constexpr std::string_view saga_columns =
    "SELECT definition, key, generation, version, status, step, error, waiting_since, due_at, "
    "updated_at, hash FROM daybook_saga WHERE ";
inline constexpr std::string_view count_sagas = "SELECT COUNT(*) FROM daybook_saga WHERE ";
inline constexpr std::string_view where_definition = "definition = ? AND key > ?";
inline constexpr std::string_view where_after = "(definition, key) > (?, ?)";
inline constexpr std::string_view where_status = " AND status = ?";
inline constexpr std::string_view where_unfinished =
    " AND status IN ('running', 'compensating', 'incident')";
// The sagas whose last input is in the future, because the clock was set back since.
inline constexpr std::string_view sagas_updated_after =
    "SELECT definition, key FROM daybook_saga WHERE status IN "
    "('running', 'compensating', 'incident') AND updated_at > ?";
inline constexpr std::string_view in_order = " ORDER BY definition, key LIMIT ?";

inline constexpr std::string_view upsert_timer =
    "INSERT INTO daybook_saga_timer(definition, key, kind, generation, hash, due_at) "
    "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(definition, key, kind) DO UPDATE SET "
    "generation = excluded.generation, hash = excluded.hash, due_at = excluded.due_at, "
    "attempts = 0";
inline constexpr std::string_view count_timer =
    "UPDATE daybook_saga_timer SET attempts = attempts + 1 "
    "WHERE definition = ? AND key = ? AND kind = ?";
inline constexpr std::string_view load_timer_attempts =
    "SELECT attempts FROM daybook_saga_timer WHERE definition = ? AND key = ? AND kind = ?";
inline constexpr std::string_view delete_timer =
    "DELETE FROM daybook_saga_timer WHERE definition = ? AND key = ? AND kind = ?";
inline constexpr std::string_view delete_timers = "DELETE FROM daybook_saga_timer";
inline constexpr std::string_view postpone_timer =
    "UPDATE daybook_saga_timer SET due_at = ? WHERE definition = ? AND key = ? AND kind = ?";

// The program's definitions follow, by hash.
inline constexpr std::string_view due_timers =
    "SELECT definition, key, kind, generation, due_at FROM daybook_saga_timer WHERE due_at <= ?";
inline constexpr std::string_view due_timers_in_order = " ORDER BY due_at, definition, key LIMIT ?";
// The bound is the earliest instant possible; it makes the planner use the index.
inline constexpr std::string_view next_timer =
    "SELECT due_at FROM daybook_saga_timer WHERE due_at >= ?";
inline constexpr std::string_view next_timer_first = " ORDER BY due_at LIMIT 1";

inline constexpr std::string_view load_start =
    "SELECT position FROM daybook_saga_start WHERE definition = ?";
inline constexpr std::string_view save_start =
    "INSERT INTO daybook_saga_start(definition, position) VALUES(?, ?) "
    "ON CONFLICT(definition) DO UPDATE SET position = excluded.position";
inline constexpr std::string_view mark_in_progress =
    "INSERT INTO daybook_saga_start(definition, position, begun) VALUES(?, 0, 1) "
    "ON CONFLICT(definition) DO UPDATE SET begun = daybook_saga_start.begun + 1";
inline constexpr std::string_view load_in_progress =
    "SELECT begun FROM daybook_saga_start WHERE definition = ?";
inline constexpr std::string_view clear_in_progress =
    "UPDATE daybook_saga_start SET begun = 0 WHERE definition = ?";
inline constexpr std::string_view count_start =
    "UPDATE daybook_saga_start "
    "SET attempts = CASE WHEN attempted = ? THEN attempts + 1 ELSE 1 END, attempted = ? "
    "WHERE definition = ?";
inline constexpr std::string_view load_start_attempts =
    "SELECT attempts FROM daybook_saga_start WHERE definition = ? AND attempted = ?";

inline constexpr std::string_view insert_failed_start =
    "INSERT INTO daybook_saga_failed_start(definition, position, error, failed_at) VALUES(?, ?, ?, "
    "?)";
inline constexpr std::string_view delete_failed_start =
    "DELETE FROM daybook_saga_failed_start WHERE definition = ? AND position = ?";
inline constexpr std::string_view list_failed_starts =
    "SELECT definition, position, error, failed_at FROM daybook_saga_failed_start "
    "ORDER BY definition, position LIMIT ?";

}  // namespace daybook::detail::sql
