#include "daybook/messaging/outbox.hpp"

#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "listing.hpp"
#include "message_row.hpp"
#include "names.hpp"

namespace daybook {
namespace {

std::size_t count(const SqlRow& row, int column) {
    return static_cast<std::size_t>(row.integer(column));
}

WaitingMessage read_waiting(const SqlRow& row, Timestamp now) {
    constexpr int retry_at = detail::message_columns;
    WaitingMessage waiting;
    waiting.message = detail::read_message(row);
    waiting.last_error = row.text(retry_at + 1);
    const Message& message = waiting.message;
    if (row.integer(retry_at + 2) != 0) {
        waiting.waits_for = OutboxWait::receiver;
        waiting.until = row.timestamp(retry_at);
    } else if (row.is_null(retry_at)) {
        if (message.due_at > message.created_at && message.due_at > now) {
            waiting.waits_for = OutboxWait::due;
            waiting.until = message.due_at;
        }
    } else if (row.integer(retry_at) == detail::sql::blocked) {
        waiting.waits_for = OutboxWait::blocked;
    } else if (message.attempt > 0) {
        waiting.waits_for = OutboxWait::retry;
        waiting.until = row.timestamp(retry_at);
    }
    return waiting;
}

}  // namespace

std::string_view to_string(OutboxWait wait) noexcept {
    switch (wait) {
        case OutboxWait::turn: return "turn";
        case OutboxWait::due: return "due";
        case OutboxWait::retry: return "retry";
        case OutboxWait::blocked: return "blocked";
        case OutboxWait::receiver: return "receiver";
    }
    return "?";
}

OutboxStatus outbox_status(const EventStore& store) {
    OutboxStatus status;
    detail::query_store(store, [&](Sql& db) {
        db.each(
            detail::sql::outbox_counts,
            [&](const SqlRow& row) {
                status.waiting = count(row, 0);
                status.delayed = count(row, 1);
                status.retrying = count(row, 2);
                status.blocked = count(row, 3);
                status.unhandled = count(row, 4);
                if (!row.is_null(5)) status.oldest = row.timestamp(5);
                if (!row.is_null(6)) status.newest = row.timestamp(6);
            },
            store.clock().now());
        status.parked =
            static_cast<std::size_t>(db.integer(detail::sql::dead_letter_count).value_or(0));
    });
    return status;
}

std::vector<WaitingMessage> outbox_list(const EventStore& store, const OutboxFilter& filter) {
    std::vector<WaitingMessage> found;
    outbox_each(store, filter, [&](const WaitingMessage& waiting) { found.push_back(waiting); });
    return found;
}

void outbox_each(const EventStore& store, const OutboxFilter& filter,
                 const std::function<void(const WaitingMessage&)>& visit) {
    detail::require_clean("topic", filter.topic);
    detail::require_clean("key", filter.key);
    const Timestamp now = store.clock().now();
    const auto fetch = [&](Sql& db, const detail::ListPage& page, const auto& add) {
        db.each(
            detail::sql::outbox_rows,
            [&](const SqlRow& row) {
                add(read_waiting(row, now), row.integer(detail::message_columns + 3),
                    row.is_null(detail::data_column));
            },
            page.data_max, page.data_max, page.after, filter.topic, filter.topic, filter.key,
            filter.key, page.rows_max);
    };
    detail::each_in_pages<WaitingMessage>(store, {filter.limit, filter.with_data}, fetch,
                                          detail::sql::outbox_data_at, visit);
}

}  // namespace daybook
