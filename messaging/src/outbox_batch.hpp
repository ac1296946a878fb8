#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// A set of the outbox's partitions, one bit each.
using PartitionSet = std::uint32_t;

inline constexpr int partitions = 16;

constexpr bool contains(PartitionSet set, int partition) noexcept {
    return ((set >> partition) & 1U) != 0;
}

/// A message that is ready, and its place in the outbox.
struct OutboxRow {
    Message message;  ///< `attempt` is that of the coming delivery
    std::int64_t sequence = 0;
    int partition = 0;
    std::optional<Timestamp> retry_at{};
    Timestamp instant{};   ///< since when it is ready
    bool blocked = false;  ///< another message of its key has to go first

    int attempts_made() const noexcept { return message.attempt - 1; }
    /// Topic and key in one text; empty without a key.
    std::string order_key() const {
        return message.key.empty() ? std::string{} : message.topic + '\n' + message.key;
    }
};

struct OutboxBatch {
    std::vector<OutboxRow> rows;  ///< in the order in which they are to be delivered
    bool more = false;            ///< others are ready that are not in here
};

/// The newest sequence, if anything in the outbox is ready at `now`, whoever may deliver it.
std::optional<std::int64_t> newest_if_ready(const EventStore& store, Timestamp now);

/// Which messages a batch may hold.
struct BatchRequest {
    PartitionSet set = 0;
    Timestamp now{};
    std::int64_t newest = 0;  ///< sequences up to this one
    std::size_t rows_max = 0;
};

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request);

/// What `load_batch` does with what it has found: brings two kinds into one order and leaves both
/// their share. Each kind keeps its own order.
OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max);

}  // namespace daybook::detail
