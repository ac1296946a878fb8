#include "daybook/messaging/inbox.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include "daybook/eventstore/store_access.hpp"
#include "statements.hpp"

namespace daybook {
namespace {

/// How many marks one unit of a purge looks at.
constexpr std::int64_t purge_page_max = 5'000;

/// A mark's place in the table's own order.
struct Place {
    std::string consumer{};
    EventId id{};
};

}  // namespace

std::vector<InboxStatus> inbox_status(const EventStore& store) {
    std::vector<InboxStatus> all;
    detail::query_store(store, [&](Sql& db) {
        db.each(detail::sql::inbox_counts, [&](const SqlRow& row) {
            all.push_back({std::string(row.text(0)), static_cast<std::size_t>(row.integer(1)),
                           row.timestamp(2), row.timestamp(3)});
        });
    });
    return all;
}

std::size_t purge_inbox(EventStore& store, Timestamp before) {
    std::int64_t purged = 0;
    Place begin;
    for (bool more = true; more;) {
        Place end;
        more = false;
        store.transact([&](Transaction& tx) {
            Sql& db = detail::store_sql(tx);
            db.each(
                detail::sql::inbox_page_end,
                [&](const SqlRow& row) {
                    end = {std::string(row.text(0)), row.id(1)};
                    more = true;
                },
                begin.consumer, begin.id, purge_page_max - 1);
            purged +=
                more ? db.exec(detail::sql::inbox_purge_page, before, begin.consumer, begin.id,
                               end.consumer, end.id)
                     : db.exec(detail::sql::inbox_purge_rest, before, begin.consumer, begin.id);
        });
        begin = std::move(end);
    }
    return static_cast<std::size_t>(purged);
}

}  // namespace daybook
