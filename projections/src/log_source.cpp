#include "log_source.hpp"

#include "statements.hpp"

namespace daybook::detail {

LogIds read_log_ids(Sql& store, Position first, Position second) {
    LogIds ids;
    store.each(
        statements::log_ids_at,
        [&](const SqlRow& row) {
            const auto id = [&](int column) {
                return row.is_null(column) ? EventId{} : row.id(column);
            };
            ids = {id(0), id(1), id(2)};
        },
        first, second);
    return ids;
}

}  // namespace daybook::detail
