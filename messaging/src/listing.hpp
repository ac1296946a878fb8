#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/eventstore/event_store.hpp"

namespace daybook::detail {

/// The rows of one page of a listing.
struct ListPage {
    std::int64_t data_max = 0;  ///< in bytes; larger data is left out; 0: all data is
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    std::int64_t rows_max = 0;
};

struct ListLimits {
    std::size_t limit;
    bool with_data;
};

/// Calls `visit` for each row of a listing. Reads pages of bounded size, so that the memory does
/// not grow with the number or the size of the messages. `fetch(db, page, add)` runs the statement
/// of one page and calls `add(item, number, lacks_data)` for each row; the statement `data_at`
/// selects the data of the row with a number. The number is the row's sequence in the outbox, or
/// its number among the dead letters.
template <class Item, class Fetch>
void each_in_pages(const EventStore& store, ListLimits limits, const Fetch& fetch,
                   std::string_view data_at, const std::function<void(const Item&)>& visit) {
    constexpr std::size_t rows_max = 100;
    constexpr std::int64_t data_bytes_max = 4 * 1024 * 1024;
    struct Row {
        Item item;
        std::int64_t number;
        bool lacks_data;
    };
    ListPage page{.data_max = limits.with_data ? data_bytes_max / std::int64_t{rows_max} : 0};
    for (std::size_t left = limits.limit; left > 0;) {
        page.rows_max = static_cast<std::int64_t>(std::min(left, rows_max));
        std::vector<Row> rows;
        store.query([&](Sql& db) {
            fetch(db, page, [&](Item item, std::int64_t number, bool lacks_data) {
                rows.push_back({std::move(item), number, lacks_data});
            });
        });
        for (Row& row : rows) {
            const Item item = std::move(row.item);
            if (!limits.with_data || !row.lacks_data) {
                visit(item);
                continue;
            }
            std::optional<std::string> data;
            store.query([&](Sql& db) { data = db.text(data_at, row.number); });
            if (!data) continue;  // deleted meanwhile
            Item whole = item;
            whole.message.data = std::move(*data);
            visit(whole);
        }
        if (rows.size() < static_cast<std::size_t>(page.rows_max)) return;
        page.after = rows.back().number;
        left -= rows.size();
    }
}

}  // namespace daybook::detail
