#pragma once

#include <string_view>

// Every statement of this folder.

namespace daybook::detail::sql {

inline constexpr std::string_view upsert_saga =
    "INSERT INTO saga(definition, key, generation, version, hash, status, step, error, "
    "journal_version, waiting_since, due_at, updated_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(definition, key) DO UPDATE SET generation = excluded.generation, "
    "version = excluded.version, hash = excluded.hash, status = excluded.status, "
    "step = excluded.step, error = excluded.error, journal_version = excluded.journal_version, "
    "waiting_since = excluded.waiting_since, due_at = excluded.due_at, "
    "updated_at = excluded.updated_at";
inline constexpr std::string_view delete_sagas = "DELETE FROM saga";

// A list is continued after a definition and key; the first begins after two empty texts.
inline constexpr std::string_view saga_columns =
    "SELECT definition, key, generation, version, status, step, error, waiting_since, due_at, "
    "updated_at, hash FROM saga WHERE ";
inline constexpr std::string_view count_sagas = "SELECT COUNT(*) FROM saga WHERE ";
inline constexpr std::string_view where_definition = "definition = ? AND key > ?";
inline constexpr std::string_view where_after = "(definition, key) > (?, ?)";
inline constexpr std::string_view where_status = " AND status = ?";
inline constexpr std::string_view where_unfinished =
    " AND status IN ('running', 'compensating', 'incident')";
inline constexpr std::string_view in_order = " ORDER BY definition, key LIMIT ?";

inline constexpr std::string_view upsert_timer =
    "INSERT INTO saga_timer(definition, key, kind, generation, hash, due_at) "
    "VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT(definition, key, kind) DO UPDATE SET "
    "generation = excluded.generation, hash = excluded.hash, due_at = excluded.due_at";
inline constexpr std::string_view delete_timer =
    "DELETE FROM saga_timer WHERE definition = ? AND key = ? AND kind = ?";
inline constexpr std::string_view delete_timers = "DELETE FROM saga_timer";
inline constexpr std::string_view postpone_timer =
    "UPDATE saga_timer SET due_at = ? WHERE definition = ? AND key = ? AND kind = ?";

// Followed by the hashes of the definitions that are there.
inline constexpr std::string_view due_timers =
    "SELECT definition, key, kind, generation, due_at FROM saga_timer WHERE due_at <= ?";
inline constexpr std::string_view due_timers_in_order = " ORDER BY due_at, definition, key LIMIT ?";
// The bound, the earliest instant of all, leads the planner to the index.
inline constexpr std::string_view next_timer = "SELECT due_at FROM saga_timer WHERE due_at >= ?";
inline constexpr std::string_view next_timer_first = " ORDER BY due_at LIMIT 1";

inline constexpr std::string_view load_start =
    "SELECT position FROM saga_start WHERE definition = ?";
inline constexpr std::string_view save_start =
    "INSERT INTO saga_start(definition, position) VALUES(?, ?) "
    "ON CONFLICT(definition) DO UPDATE SET position = excluded.position";

}  // namespace daybook::detail::sql
