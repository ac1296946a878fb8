#pragma once

// The statements on the tables of migrations and mirrors (schema/sql/*/0001_baseline/tables/).

namespace daybook::detail::sql {

inline constexpr auto migration_find =
    "SELECT position, event, store, finished FROM daybook_migration WHERE id = 1";
inline constexpr auto migration_begin =
    "INSERT INTO daybook_migration(id, position, store, updated_at) VALUES(1, 0, ?, ?)";
/// Changes no row unless the checkpoint is where this migration has left it: another one may be
/// running on the same target.
inline constexpr auto migration_advance =
    "UPDATE daybook_migration SET position = ?, event = ?, updated_at = ? "
    "WHERE id = 1 AND position = ? AND finished = 0";
inline constexpr auto migration_finish =
    "UPDATE daybook_migration SET finished = 1, updated_at = ? WHERE id = 1 AND position = ?";

inline constexpr auto mirror_create =
    "INSERT INTO daybook_mirror(name, position, event, store, stored, dropped, updated_at) "
    "VALUES(?, ?, ?, ?, 0, 0, ?) ON CONFLICT(name) DO NOTHING";
inline constexpr auto mirror_find =
    "SELECT position, event, store, stored, dropped FROM daybook_mirror WHERE name = ?";
/// Changes no row unless the checkpoint is where this mirror has left it.
inline constexpr auto mirror_advance =
    "UPDATE daybook_mirror SET position = ?, event = ?, store = ?, stored = ?, dropped = ?, "
    "updated_at = ? "
    "WHERE name = ? AND position = ?";
inline constexpr auto mirror_dropped_of =
    "SELECT events FROM daybook_mirror_dropped WHERE mirror = ? AND stream = ?";
inline constexpr auto mirror_dropped_put =
    "INSERT INTO daybook_mirror_dropped(mirror, stream, events) VALUES(?, ?, ?) "
    "ON CONFLICT(mirror, stream) DO UPDATE SET events = excluded.events";

inline constexpr auto projection_names = "SELECT name FROM daybook_projection ORDER BY name";

}  // namespace daybook::detail::sql
