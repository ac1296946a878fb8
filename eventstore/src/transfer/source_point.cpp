#include "transfer/source_point.hpp"

#include "daybook/eventstore/store_access.hpp"
#include "transfer/statements.hpp"
#include "values/log_check.hpp"

namespace daybook::detail {

LogPoint point_of(const SqlRow& row, int column) {
    const auto id = [&](int at) { return row.is_null(at) ? EventId{} : row.id(at); };
    return {row.position(column), id(column + 1), id(column + 2)};
}

std::string mismatch(Sql& sql, const LogPoint& point) {
    const EventId found = event_at(sql, point.position);
    if (found == point.event) return {};
    std::string text = "it does not hold the event " + point.event.to_string() + " at position " +
                       std::to_string(point.position.value());
    const EventId store = store_identity(sql);
    if (point.store == store) return text + " any more: it was put back from a backup";
    return text + ": that was store " + point.store.to_string() + ", and this is " +
           store.to_string();
}

std::string mismatch(const EventStore& source, const LogPoint& point) {
    const PooledReader reader{engine_of(source)};
    const ReaderSnapshot one_state{*reader};
    return mismatch(reader->sql(), point);
}

std::optional<MigrationRow> find_migration(Sql& target) {
    std::optional<MigrationRow> found;
    target.each(sql::migration_find, [&](const SqlRow& row) {
        found = MigrationRow{point_of(row, 0), row.integer(3) != 0};
    });
    return found;
}

}  // namespace daybook::detail
