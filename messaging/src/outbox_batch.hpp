#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
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

/// What there is to do at an instant, whoever may do it.
struct OutboxLook {
    std::int64_t newest = 0;  ///< sequence
    bool has_ready = false;   ///< something waits only for its turn
    bool has_due = false;     ///< something waits no longer for its instant
};

OutboxLook look_at_outbox(const EventStore& store, Timestamp now);

/// Which messages a batch may hold.
struct BatchRequest {
    /// Messages that were replayed have sequences below 1.
    static constexpr auto behind_none = std::numeric_limits<std::int64_t>::min();

    PartitionSet set = 0;
    std::int64_t behind = behind_none;  ///< of what is ready: sequences behind this one
    std::int64_t newest = 0;            ///< sequences up to this one
    std::optional<Timestamp> due{};     ///< also what waited for an instant up to this one
    std::size_t rows_max = 0;
};

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request);

/// What `load_batch` does with what it has found: brings two kinds into one order and leaves both
/// their share. Each kind keeps its own order.
OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max);

}  // namespace daybook::detail
