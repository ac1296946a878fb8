#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/message_tables.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// A set of the outbox's partitions, one bit each.
using PartitionSet = std::uint32_t;

inline constexpr PartitionSet all_partitions = (PartitionSet{1} << partitions) - 1;

constexpr bool contains(PartitionSet set, int partition) noexcept {
    return ((set >> partition) & 1U) != 0;
}

/// The lease index for messages that were left to other programs: these belong to no partition, so
/// that any relay whose program has a receiver can deliver them.
inline constexpr int unhandled_partition = partitions;

/// A message that is ready for delivery, and its row in the outbox.
struct OutboxRow {
    Message message;        ///< its `attempt` is the number of the next delivery
    bool has_data = false;  ///< false: the data is fetched at the delivery
    std::int64_t sequence = 0;
    int partition = 0;  ///< or `unhandled_partition`
    std::optional<Timestamp> retry_at{};
    std::optional<Timestamp> waits_since{};  ///< when `retry_at` was set
    Timestamp ready_since{};                 ///< orders ready and due messages
    bool blocked = false;  ///< another message of its key has to be delivered first

    bool is_unhandled() const noexcept { return partition == unhandled_partition; }

    int attempts_made() const noexcept { return message.attempt - 1; }
    /// Topic and key in one text; empty without a key.
    std::string order_key() const {
        return message.key.empty() ? std::string{} : message.topic + '\n' + message.key;
    }
};

struct OutboxBatch {
    std::vector<OutboxRow> rows;  ///< in the order of delivery
    bool more = false;            ///< the outbox has more messages that are ready
};

/// What is to be delivered at an instant, by any relay.
struct OutboxSummary {
    std::int64_t newest = 0;  ///< the highest sequence
    bool has_ready = false;   ///< a message is ready at once
    bool has_due = false;     ///< the wait of a message has ended
    bool has_unhandled = false;
    std::optional<Timestamp> newest_wait{};  ///< the latest start of a wait
};

OutboxSummary read_outbox_summary(const EventStore& store, Timestamp now);

/// Call it after the clock was set back: waits that started in the future, by the new time, start
/// again now with their original length. Otherwise they would last longer by as much as the clock
/// was set back.
void shorten_waits(EventStore& store, Timestamp now);

/// Selects the messages of a batch.
struct BatchRequest {
    /// Below all sequences: those of replayed messages are below 1.
    static constexpr auto before_all = std::numeric_limits<std::int64_t>::min();

    PartitionSet set = 0;
    std::int64_t after = before_all;  ///< of messages ready at once: higher sequences only
    std::int64_t newest = 0;          ///< sequences up to this one
    std::optional<Timestamp> due{};   ///< if set: also the waits that ended by then
    std::size_t rows_max = 0;
    std::size_t bytes_max = 0;  ///< of data; a row with data above its share has none
};

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request);

/// A cursor over the messages left to other programs, in the order in which they were left.
struct UnhandledCursor {
    Timestamp waits_since = Timestamp::min();
    std::int64_t sequence = 0;
};

struct UnhandledPage {
    std::vector<OutboxRow> rows;  ///< without data
    UnhandledCursor end;          ///< of the last row
    bool more = false;
};

UnhandledPage load_unhandled(const EventStore& store, UnhandledCursor after, std::size_t rows_max);
/// The messages whose wait for other programs has ended. Without data.
std::vector<OutboxRow> load_unhandled_due(const EventStore& store, Timestamp now,
                                          std::size_t rows_max);

/// The data of a row that was loaded without it; nothing if the row was deleted since.
std::optional<std::string> load_data(const EventStore& store, const OutboxRow& row);

/// Used by `load_batch`: merges messages ready at once with messages whose wait has ended, so that
/// each kind gets at least half of the batch if it needs it. Each kind keeps its order.
OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max);

}  // namespace daybook::detail
