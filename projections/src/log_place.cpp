#include "log_place.hpp"

#include "statements.hpp"

namespace daybook::detail {

LogPlaces read_places(Sql& store, Position first, Position second) {
    LogPlaces places;
    store.each(
        statements::places_of_log,
        [&](const SqlRow& row) {
            const auto id = [&](int column) {
                return row.is_null(column) ? EventId{} : row.id(column);
            };
            places = {id(0), id(1), id(2)};
        },
        first, second);
    return places;
}

}  // namespace daybook::detail
