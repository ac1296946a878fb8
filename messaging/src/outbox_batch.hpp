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
inline constexpr PartitionSet all_partitions = (PartitionSet{1} << partitions) - 1;

constexpr bool contains(PartitionSet set, int partition) noexcept {
    return ((set >> partition) & 1U) != 0;
}

/// What relays had no receiver for belongs to no partition: whoever has a receiver takes it.
inline constexpr int unhandled_lane = partitions;

/// A message that is ready, and its place in the outbox.
struct OutboxRow {
    Message message;        ///< `attempt` is that of the coming delivery
    bool has_data = false;  ///< else the message's data is fetched when it is delivered
    std::int64_t sequence = 0;
    int partition = 0;  ///< or `unhandled_lane`
    std::optional<Timestamp> retry_at{};
    std::optional<Timestamp> waits_since{};  ///< when `retry_at` was set
    Timestamp instant{};                     ///< since when it is ready
    bool blocked = false;                    ///< another message of its key has to go first

    bool is_unhandled() const noexcept { return partition == unhandled_lane; }

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
    bool has_unhandled = false;
    std::optional<Timestamp> newest_wait{};  ///< when the last one began that still waits
};

OutboxLook look_at_outbox(const EventStore& store, Timestamp now);

/// The clock was set back while something waited: lets it wait from `now` on, and no longer than it
/// was to wait in the first place.
void shorten_waits(EventStore& store, Timestamp now);

/// Which messages a batch may hold.
struct BatchRequest {
    /// Messages that were replayed have sequences below 1.
    static constexpr auto behind_none = std::numeric_limits<std::int64_t>::min();

    PartitionSet set = 0;
    std::int64_t behind = behind_none;  ///< of what is ready: sequences behind this one
    std::int64_t newest = 0;            ///< sequences up to this one
    std::optional<Timestamp> due{};     ///< also what waited for an instant up to this one
    std::size_t rows_max = 0;
    std::size_t bytes_max = 0;  ///< of data; what is too large for its share comes without
};

OutboxBatch load_batch(const EventStore& store, const BatchRequest& request);

/// A place among what was left to other programs, in the order of leaving.
struct UnhandledPlace {
    Timestamp waits_since = Timestamp::min();
    std::int64_t sequence = 0;
};

struct UnhandledPage {
    std::vector<OutboxRow> rows;  ///< without data
    UnhandledPlace end;           ///< of the last row
    bool more = false;
};

UnhandledPage load_unhandled(const EventStore& store, UnhandledPlace behind, std::size_t rows_max);
/// What has waited for other programs for as long as it was to. Without data.
std::vector<OutboxRow> load_unhandled_due(const EventStore& store, Timestamp now,
                                          std::size_t rows_max);

/// The data of a row that came without; nothing if it is not there any more.
std::optional<std::string> load_data(const EventStore& store, const OutboxRow& row);

/// What `load_batch` does with what it has found: brings two kinds into one order and leaves both
/// their share. Each kind keeps its own order.
OutboxBatch merge_ready_and_due(std::vector<OutboxRow> ready, std::vector<OutboxRow> due,
                                std::size_t rows_max);

}  // namespace daybook::detail
