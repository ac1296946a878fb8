#pragma once

#include <string_view>

// All SQL of this folder. The tables `daybook_checkpoint` and `daybook_set_aside` exist in each
// read model's database and, for inline models, in the store's: the same statements serve both.

namespace daybook::detail::statements {

inline constexpr std::string_view load_checkpoint =
    "SELECT position, applied, filtered, parked, skipped, token, indexed, store, event, definition "
    "FROM daybook_checkpoint WHERE projection = ?";
inline constexpr std::string_view insert_checkpoint =
    "INSERT INTO daybook_checkpoint(projection, position, applied, filtered, parked, skipped, "
    "token, indexed, store, event, definition) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr std::string_view advance_checkpoint =
    "UPDATE daybook_checkpoint SET position = ?, applied = ?, filtered = ?, parked = ?, "
    "skipped = ?, event = ? WHERE projection = ? AND position = ? AND token = ?";

// The same in the store's database, where no rebuild writes a model and no fence is needed. The ids
// are read from the log by the same statement, which saves a call in each append.
inline constexpr std::string_view load_checkpoint_of_store =
    "SELECT c.position, c.applied, c.filtered, c.parked, c.skipped, CAST(0 AS BIGINT), "
    "c.indexed, c.store, c.event, c.definition, (SELECT id FROM daybook_store), "
    "(SELECT id FROM daybook_event WHERE position = c.position) "
    "FROM daybook_checkpoint c WHERE c.projection = ?";
inline constexpr std::string_view insert_checkpoint_of_store =
    "INSERT INTO daybook_checkpoint(projection, position, applied, filtered, parked, skipped, "
    "indexed, definition, store, event) VALUES(?, ?, ?, ?, ?, ?, ?, ?, "
    "(SELECT id FROM daybook_store), (SELECT id FROM daybook_event WHERE position = ?))";
inline constexpr std::string_view advance_checkpoint_of_store =
    "UPDATE daybook_checkpoint SET position = ?, applied = ?, filtered = ?, parked = ?, "
    "skipped = ?, event = (SELECT id FROM daybook_event WHERE position = ?) "
    "WHERE projection = ? AND position = ?";

inline constexpr std::string_view log_ids_at =
    "SELECT (SELECT id FROM daybook_store), "
    "(SELECT id FROM daybook_event WHERE position = ?), "
    "(SELECT id FROM daybook_event WHERE position = ?)";
inline constexpr std::string_view names_of_events =
    "SELECT DISTINCT name FROM daybook_event_type ORDER BY name";

inline constexpr std::string_view fence_checkpoint =
    "UPDATE daybook_checkpoint SET token = ? WHERE projection = ?";
inline constexpr std::string_view mark_indexed =
    "UPDATE daybook_checkpoint SET indexed = 1 WHERE projection = ?";
inline constexpr std::string_view delete_checkpoint =
    "DELETE FROM daybook_checkpoint WHERE projection = ?";

inline constexpr std::string_view insert_set_aside =
    "INSERT INTO daybook_set_aside(projection, position, key, type, parked, error, reason, "
    "attempts, set_aside_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr std::string_view is_parked =
    "SELECT 1 FROM daybook_set_aside WHERE projection = ? AND parked = 1 AND key = ? LIMIT 1";
inline constexpr std::string_view list_parked =
    "SELECT position, key, type, error, attempts, set_aside_at FROM daybook_set_aside "
    "WHERE projection = ? AND parked = 1 ORDER BY position LIMIT ?";
inline constexpr std::string_view list_parked_keys =
    "SELECT DISTINCT key FROM daybook_set_aside WHERE projection = ? AND parked = 1";
inline constexpr std::string_view next_parked =
    "SELECT min(position) FROM daybook_set_aside WHERE projection = ? AND parked = 1 AND key = ?";
inline constexpr std::string_view delete_set_aside =
    "DELETE FROM daybook_set_aside WHERE projection = ? AND position = ?";
inline constexpr std::string_view record_attempt =
    "UPDATE daybook_set_aside SET error = ?, attempts = attempts + 1 "
    "WHERE projection = ? AND position = ?";
inline constexpr std::string_view discard_parked =
    "UPDATE daybook_set_aside SET parked = 0, reason = ? "
    "WHERE projection = ? AND parked = 1 AND key = ?";
inline constexpr std::string_view discard_one =
    "UPDATE daybook_set_aside SET parked = 0, reason = ? "
    "WHERE projection = ? AND parked = 1 AND position = ?";
inline constexpr std::string_view delete_all_set_aside =
    "DELETE FROM daybook_set_aside WHERE projection = ?";
inline constexpr std::string_view list_all_set_aside =
    "SELECT projection, position, key, type, parked, error, reason, attempts, set_aside_at "
    "FROM daybook_set_aside WHERE projection = ? ORDER BY position";

// The registry, in the store's own database: projections, then rebuilds.
inline constexpr std::string_view find_projection =
    "SELECT name, lifecycle, version, fingerprint, build, last_build, relations, halted, "
    "last_error, (SELECT id FROM daybook_store) FROM daybook_projection WHERE name = ?";
inline constexpr std::string_view list_projections =
    "SELECT name, lifecycle, version, fingerprint, build, last_build, relations, halted, "
    "last_error, (SELECT id FROM daybook_store) FROM daybook_projection ORDER BY name";
inline constexpr std::string_view insert_projection =
    "INSERT INTO daybook_projection(name, lifecycle, version, fingerprint, build, last_build, "
    "relations, "
    "updated_at) VALUES(?, ?, ?, ?, 1, 1, ?, ?) ON CONFLICT(name) DO NOTHING";
inline constexpr std::string_view set_halted =
    "UPDATE daybook_projection SET halted = ?, last_error = ?, updated_at = ? WHERE name = ? AND "
    "build = ?";
inline constexpr std::string_view reserve_build =
    "UPDATE daybook_projection SET last_build = ?, updated_at = ? WHERE name = ?";
inline constexpr std::string_view switch_over =
    "UPDATE daybook_projection SET lifecycle = ?, version = ?, fingerprint = ?, build = ?, "
    "relations = ?, "
    "halted = 0, last_error = '', updated_at = ? WHERE name = ?";

// A rebuild belongs to the owner of the lease of this name.
inline constexpr std::string_view rebuild_lease_prefix = "rebuild:";
inline constexpr std::string_view find_rebuild =
    "SELECT r.name, r.lifecycle, r.version, r.fingerprint, r.build, coalesce(l.owner, ''), "
    "r.position, r.target, r.started_at, r.updated_at, r.error FROM daybook_rebuild r "
    "LEFT JOIN daybook_lease l ON l.name = 'rebuild:' || r.name WHERE r.name = ?";
inline constexpr std::string_view list_rebuilds =
    "SELECT r.name, r.lifecycle, r.version, r.fingerprint, r.build, coalesce(l.owner, ''), "
    "r.position, r.target, r.started_at, r.updated_at, r.error FROM daybook_rebuild r "
    "LEFT JOIN daybook_lease l ON l.name = 'rebuild:' || r.name ORDER BY r.name";
inline constexpr std::string_view claim_rebuild =
    "INSERT INTO daybook_rebuild(name, lifecycle, version, fingerprint, build, position, target, "
    "started_at, updated_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(name) DO UPDATE SET lifecycle = excluded.lifecycle, version = excluded.version, "
    "fingerprint = excluded.fingerprint, build = excluded.build, position = excluded.position, "
    "target = excluded.target, started_at = excluded.started_at, "
    "updated_at = excluded.updated_at, error = ''";
inline constexpr std::string_view record_progress =
    "UPDATE daybook_rebuild SET position = ?, target = ?, updated_at = ? WHERE name = ?";
inline constexpr std::string_view record_rebuild_error =
    "UPDATE daybook_rebuild SET error = ?, updated_at = ? WHERE name = ?";
inline constexpr std::string_view delete_rebuild = "DELETE FROM daybook_rebuild WHERE name = ?";

inline constexpr std::string_view savepoint = "SAVEPOINT daybook_projection";
inline constexpr std::string_view release_savepoint = "RELEASE daybook_projection";
inline constexpr std::string_view rollback_to_savepoint = "ROLLBACK TO daybook_projection";

}  // namespace daybook::detail::statements
