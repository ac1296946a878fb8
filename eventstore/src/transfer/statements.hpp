#pragma once

// What stands in schema/sql/*/0007_transfer.sql, and how it is read and written.

namespace daybook::detail::sql {

inline constexpr auto migration_find =
    "SELECT position, event, finished FROM migration WHERE id = 1";
inline constexpr auto migration_begin =
    "INSERT INTO migration(id, position, updated_at) VALUES(1, 0, ?)";
/// Only from where this one has left it: nothing changes if another is at work.
inline constexpr auto migration_advance =
    "UPDATE migration SET position = ?, event = ?, updated_at = ? "
    "WHERE id = 1 AND position = ? AND finished = 0";
inline constexpr auto migration_finish =
    "UPDATE migration SET finished = 1, updated_at = ? WHERE id = 1 AND position = ?";

inline constexpr auto mirror_create =
    "INSERT INTO mirror(name, position, event, stored, dropped, epoch, updated_at) "
    "VALUES(?, ?, ?, 0, 0, 0, ?) ON CONFLICT(name) DO NOTHING";
inline constexpr auto mirror_claim = "UPDATE mirror SET epoch = epoch + 1 WHERE name = ?";
inline constexpr auto mirror_find =
    "SELECT position, event, stored, dropped, epoch FROM mirror WHERE name = ?";
/// Only for the newest claim.
inline constexpr auto mirror_advance =
    "UPDATE mirror SET position = ?, event = ?, stored = ?, dropped = ?, updated_at = ? "
    "WHERE name = ? AND epoch = ? AND position = ?";
inline constexpr auto mirror_dropped_of =
    "SELECT events FROM mirror_dropped WHERE mirror = ? AND stream = ?";
inline constexpr auto mirror_dropped_put =
    "INSERT INTO mirror_dropped(mirror, stream, events) VALUES(?, ?, ?) "
    "ON CONFLICT(mirror, stream) DO UPDATE SET events = excluded.events";

inline constexpr auto projection_names = "SELECT name FROM projection ORDER BY name";

}  // namespace daybook::detail::sql
