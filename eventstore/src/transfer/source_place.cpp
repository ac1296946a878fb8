#include "transfer/source_place.hpp"

#include "transfer/statements.hpp"

namespace daybook::detail {

SourcePlace place_of(const SqlRow& row, int position_column, int event_column) {
    SourcePlace place{row.position(position_column), {}};
    if (!row.is_null(event_column)) place.event = row.id(event_column);
    return place;
}

bool holds(const EventStore& source, const SourcePlace& place) {
    if (place.position == Position{0}) return true;
    EventPage page;
    const PooledReader reader{source.engine()};
    reader->read({.from = place.position.value(), .events_max = 1}, page);
    return !page.rows.empty() && page.rows.front().position == place.position &&
           page.rows.front().id == place.event;
}

std::optional<MigrationRow> find_migration(Sql& target) {
    std::optional<MigrationRow> found;
    target.each(sql::migration_find, [&](const SqlRow& row) {
        found = MigrationRow{place_of(row, 0, 1), row.integer(2) != 0};
    });
    return found;
}

}  // namespace daybook::detail
