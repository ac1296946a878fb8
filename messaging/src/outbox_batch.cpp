#include "outbox_batch.hpp"

#include <algorithm>
#include <utility>

#include "message_row.hpp"
#include "statements.hpp"

namespace daybook::detail {
namespace {

/// How much data of one kind a batch takes into memory; a single message may be larger.
constexpr std::size_t data_bytes_max = 8 * 1024 * 1024;

class RowReader {
public:
    void operator()(const SqlRow& row) {
        if (bytes_ >= data_bytes_max) {
            more_ = true;
            return;
        }
        OutboxRow& read = rows_.emplace_back();
        read.message = read_message(row);
        ++read.message.attempt;
        read.sequence = row.integer(message_columns);
        read.partition = static_cast<int>(row.integer(message_columns + 1));
        if (!row.is_null(message_columns + 2)) read.retry_at = row.timestamp(message_columns + 2);
        read.instant = row.timestamp(message_columns + 3);
        read.blocked = row.integer(message_columns + 4) != 0;
        bytes_ += read.message.data.size();
    }

    std::vector<OutboxRow> take() { return std::move(rows_); }
    bool more() const noexcept { return more_; }

private:
    std::vector<OutboxRow> rows_;
    std::size_t bytes_ = 0;
    bool more_ = false;
};

}  // namespace

OutboxLook look_at_outbox(const EventStore& store, Timestamp now) {
    OutboxLook look;
    store.query([&](Sql& db) {
        db.each(
            sql::outbox_look,
            [&](const SqlRow& row) {
                look = {row.integer(0), row.integer(1) != 0, row.integer(2) != 0};
            },
            now);
    });
    return look;
}

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request) {
    RowReader ready;
    RowReader due;
    store.query([&](Sql& db) {
        db.each(sql::outbox_ready, ready, request.set, request.behind, request.newest,
                request.rows_max);
        if (!request.due) return;
        db.each(sql::outbox_due, due, *request.due, request.set, request.newest, request.rows_max);
    });
    OutboxBatch batch = merge_ready_and_due(ready.take(), due.take(), request.rows_max);
    batch.more = batch.more || ready.more() || due.more();
    return batch;
}

OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max) {
    const std::size_t half = (rows_max + 1) / 2;
    const auto share = [&](std::size_t others) {
        return std::max(half, rows_max - std::min(others, rows_max));
    };
    const std::size_t ready_end = std::min(ready.size(), share(due.size()));
    const std::size_t due_end = std::min(due.size(), share(ready.size()));

    OutboxBatch batch;
    std::size_t next_ready = 0;
    std::size_t next_due = 0;
    while (batch.rows.size() < rows_max && (next_ready < ready_end || next_due < due_end)) {
        const bool take_due =
            next_due < due_end &&
            (next_ready == ready_end || due[next_due].instant <= ready[next_ready].instant);
        batch.rows.push_back(std::move(take_due ? due[next_due++] : ready[next_ready++]));
    }
    // A full page of either kind may have more behind it.
    batch.more = batch.rows.size() >= rows_max;
    return batch;
}

}  // namespace daybook::detail
