#pragma once

#include <optional>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/log_point.hpp"

// How far a target has read its source, and whether the source still is that log.

namespace daybook::detail {

/// The LogPoint in three columns: position, event and store. The first of them is `column`.
LogPoint point_of(const SqlRow& row, int column);

/// Why a source cannot be the log that was read up to `point`: it has another event there, or none.
/// Empty if it can. `sql` is that of the source, in a snapshot.
std::string mismatch(Sql& sql, const LogPoint& point);
std::string mismatch(const EventStore& source, const LogPoint& point);

/// The row of the migration that has filled `target`; nothing if there was none.
struct MigrationRow {
    LogPoint point;
    bool finished = false;
};
std::optional<MigrationRow> find_migration(Sql& target);

}  // namespace daybook::detail
