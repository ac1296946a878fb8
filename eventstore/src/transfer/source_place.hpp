#pragma once

#include <optional>

#include "daybook/eventstore/event_store.hpp"

namespace daybook::detail {

/// How far a source was read: the last event, by position and id.
struct SourcePlace {
    Position position;
    EventId event;
};

/// The place that two columns hold.
SourcePlace place_of(const SqlRow& row, int position_column, int event_column);

/// False if the source has another event there, or none: it is another store, or was restored from
/// an older backup.
bool holds(const EventStore& source, const SourcePlace& place);

/// How far the migration that made `target` has come; nothing if there was none.
struct MigrationRow {
    SourcePlace place;
    bool finished = false;
};
std::optional<MigrationRow> find_migration(Sql& target);

}  // namespace daybook::detail
