#pragma once

#include <optional>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/log_point.hpp"

// How far a source was read, as its target keeps it.

namespace daybook::detail {

/// What three columns hold, the first of which is `column`: position, event, store.
LogPoint point_of(const SqlRow& row, int column);

/// Why `source`, as `sql` sees it, cannot be the log that was read up to `point`: it has another
/// event there, or none. Empty if it can.
std::string mismatch(Sql& sql, const LogPoint& point);
std::string mismatch(const EventStore& source, const LogPoint& point);

/// How far the migration that made `target` has come; nothing if there was none.
struct MigrationRow {
    LogPoint point;
    bool finished = false;
};
std::optional<MigrationRow> find_migration(Sql& target);

}  // namespace daybook::detail
