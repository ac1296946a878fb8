#include "outbox_batch.hpp"

#include <algorithm>
#include <utility>

#include "daybook/eventstore/message_tables.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "message_row.hpp"

namespace daybook::detail {
namespace {

/// The most rows that memory is reserved for in advance.
constexpr std::size_t reserved_rows_max = 200;

/// The columns after those of a message. A row that is ready at once has only the first three.
enum RelayColumn : int {
    sequence_column = message_columns,
    partition_column,
    blocked_column,
    retry_at_column,
    waits_since_column
};

OutboxRow read_ready_row(const SqlRow& row) {
    OutboxRow read{.message = read_message(row)};
    ++read.message.attempt;
    read.has_data = !row.is_null(data_column);
    read.sequence = row.integer(sequence_column);
    read.partition = static_cast<int>(row.integer(partition_column));
    read.blocked = row.integer(blocked_column) != 0;
    read.ready_since = read.message.created_at;
    return read;
}

OutboxRow read_waiting_row(const SqlRow& row) {
    OutboxRow read = read_ready_row(row);
    if (!row.is_null(retry_at_column)) read.retry_at = row.timestamp(retry_at_column);
    if (!row.is_null(waits_since_column)) read.waits_since = row.timestamp(waits_since_column);
    read.ready_since = read.retry_at.value_or(read.message.due_at);
    return read;
}

OutboxRow read_unhandled_row(const SqlRow& row) {
    OutboxRow read = read_waiting_row(row);
    read.partition = unhandled_partition;
    return read;
}

/// The most bytes of data that one message of a batch is loaded with.
std::size_t share_of(const BatchRequest& request) {
    const std::size_t rows = request.rows_max * (request.due ? 2 : 1);
    return request.bytes_max / std::max<std::size_t>(rows, 1);
}

}  // namespace

OutboxSummary read_outbox_summary(const EventStore& store, Timestamp now) {
    OutboxSummary summary;
    query_store(store, [&](Sql& db) {
        db.each(
            sql::outbox_summary,
            [&](const SqlRow& row) {
                summary = {row.integer(0), row.integer(1) != 0, row.integer(2) != 0,
                           row.integer(3) != 0, std::nullopt};
                if (!row.is_null(4)) summary.newest_wait = row.timestamp(4);
            },
            now);
    });
    return summary;
}

void shorten_waits(EventStore& store, Timestamp now) {
    store.transact(
        [&](Transaction& tx) { store_sql(tx).exec(sql::outbox_shorten, now, now, now); });
}

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request) {
    std::vector<OutboxRow> ready;
    std::vector<OutboxRow> due;
    ready.reserve(std::min(request.rows_max, reserved_rows_max));
    const std::size_t share = share_of(request);
    query_store(store, [&](Sql& db) {
        db.each(
            sql::outbox_ready, [&](const SqlRow& row) { ready.push_back(read_ready_row(row)); },
            share, request.set, request.after, request.newest, request.rows_max);
        if (!request.due) return;
        db.each(
            sql::outbox_due, [&](const SqlRow& row) { due.push_back(read_waiting_row(row)); },
            share, *request.due, request.set, request.newest, request.rows_max);
    });
    return merge_ready_and_due(std::move(ready), std::move(due), request.rows_max);
}

UnhandledPage load_unhandled(const EventStore& store, UnhandledCursor after, std::size_t rows_max) {
    UnhandledPage page{.rows = {}, .end = after};
    query_store(store, [&](Sql& db) {
        db.each(
            sql::outbox_unhandled,
            [&](const SqlRow& row) { page.rows.push_back(read_unhandled_row(row)); },
            after.waits_since, after.sequence, rows_max);
    });
    page.more = page.rows.size() >= rows_max;
    if (!page.rows.empty()) {
        const OutboxRow& last = page.rows.back();
        page.end = {last.waits_since.value_or(Timestamp::min()), last.sequence};
    }
    return page;
}

std::vector<OutboxRow> load_unhandled_due(const EventStore& store, Timestamp now,
                                          std::size_t rows_max) {
    std::vector<OutboxRow> rows;
    query_store(store, [&](Sql& db) {
        db.each(
            sql::outbox_unhandled_due,
            [&](const SqlRow& row) { rows.push_back(read_unhandled_row(row)); }, now, rows_max);
    });
    return rows;
}

std::optional<std::string> load_data(const EventStore& store, const OutboxRow& row) {
    std::optional<std::string> data;
    query_store(store, [&](Sql& db) {
        data = db.text(sql::outbox_data, row.sequence, row.message.id, row.is_unhandled());
    });
    return data;
}

OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max) {
    if (due.empty() && ready.size() <= rows_max) {
        const bool more = ready.size() == rows_max;
        return {.rows = std::move(ready), .more = more};
    }
    const std::size_t half = (rows_max + 1) / 2;
    const auto share = [&](std::size_t others) {
        return std::max(half, rows_max - std::min(others, rows_max));
    };
    const std::size_t ready_end = std::min(ready.size(), share(due.size()));
    const std::size_t due_end = std::min(due.size(), share(ready.size()));

    OutboxBatch batch;
    batch.rows.reserve(std::min(rows_max, ready_end + due_end));
    std::size_t next_ready = 0;
    std::size_t next_due = 0;
    while (batch.rows.size() < rows_max && (next_ready < ready_end || next_due < due_end)) {
        const bool take_due =
            next_due < due_end &&
            (next_ready == ready_end || due[next_due].ready_since <= ready[next_ready].ready_since);
        batch.rows.push_back(std::move(take_due ? due[next_due++] : ready[next_ready++]));
    }
    // After a full page of either kind there may be more.
    batch.more = batch.rows.size() >= rows_max;
    return batch;
}

}  // namespace daybook::detail
