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

/// Which rows of a listing a page is to hold.
struct ListPage {
    std::int64_t data_max = 0;  ///< larger data is left out, in bytes; 0: any data
    std::int64_t behind = std::numeric_limits<std::int64_t>::min();
    std::int64_t rows_max = 0;
};

struct ListLimits {
    std::size_t limit;
    bool with_data;
};

/// Shows the rows of a listing to `visit`, in pages of bounded size, so that a listing of large
/// messages needs no more memory than one of few. `fetch(db, page, add)` runs the statement of one
/// page and calls `add(item, place, lacks_data)` for each row; `data_at` finds the data of a place.
template <class Item, class Fetch>
void each_in_pages(const EventStore& store, ListLimits limits, const Fetch& fetch,
                   std::string_view data_at, const std::function<void(const Item&)>& visit) {
    constexpr std::size_t rows_max = 100;
    constexpr std::int64_t data_bytes_max = 4 * 1024 * 1024;
    struct Row {
        Item item;
        std::int64_t place;
        bool lacks_data;
    };
    ListPage page{.data_max = limits.with_data ? data_bytes_max / std::int64_t{rows_max} : 0};
    for (std::size_t left = limits.limit; left > 0;) {
        page.rows_max = static_cast<std::int64_t>(std::min(left, rows_max));
        std::vector<Row> rows;
        store.query([&](Sql& db) {
            fetch(db, page, [&](Item item, std::int64_t place, bool lacks_data) {
                rows.push_back({std::move(item), place, lacks_data});
            });
        });
        for (Row& row : rows) {
            const Item item = std::move(row.item);
            if (!limits.with_data || !row.lacks_data) {
                visit(item);
                continue;
            }
            std::optional<std::string> data;
            store.query([&](Sql& db) { data = db.text(data_at, row.place); });
            if (!data) continue;  // gone meanwhile
            Item whole = item;
            whole.message.data = std::move(*data);
            visit(whole);
        }
        if (rows.size() < static_cast<std::size_t>(page.rows_max)) return;
        page.behind = rows.back().place;
        left -= rows.size();
    }
}

}  // namespace daybook::detail
