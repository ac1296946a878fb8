#include "daybook/messaging/inbox.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"

namespace daybook {
namespace {

/// How many marks one transaction of a purge reads.
constexpr std::int64_t purge_page_max = 5'000;

/// Points to a mark in the order of the primary key.
struct InboxCursor {
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
    InboxCursor from;
    for (bool more = true; more;) {
        InboxCursor last;
        more = false;
        store.transact([&](Transaction& tx) {
            Sql& db = detail::store_sql(tx);
            db.each(
                detail::sql::inbox_page_end,
                [&](const SqlRow& row) {
                    last = {std::string(row.text(0)), row.id(1)};
                    more = true;
                },
                from.consumer, from.id, purge_page_max - 1);
            purged += more ? db.exec(detail::sql::inbox_purge_page, before, from.consumer, from.id,
                                     last.consumer, last.id)
                           : db.exec(detail::sql::inbox_purge_rest, before, from.consumer, from.id);
        });
        from = std::move(last);
    }
    return static_cast<std::size_t>(purged);
}

}  // namespace daybook
