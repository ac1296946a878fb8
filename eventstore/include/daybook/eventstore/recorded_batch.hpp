#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/new_event.hpp"

namespace daybook {

class Transaction;
struct AppendRequest;

/// Events that were recorded in another store, to be stored with the same ids, times, traces and
/// versions. Owns everything it holds. Can be reused: `clear` keeps the memory.
///
///     RecordedBatch batch;
///     for (const EventView event : central.read("order-7")) batch.add(event);
///     store.transact([&](Transaction& tx) { tx.append_recorded(batch); });
class RecordedBatch {
public:
    RecordedBatch() = default;
    RecordedBatch(RecordedBatch&&) noexcept = default;
    RecordedBatch& operator=(RecordedBatch&&) noexcept = default;

    /// `version` is that of the event in its stream, from 1. The events before it must be in the
    /// batch or in the store. A nil part of its trace stays nil. Throws InvalidError for version 0
    /// or a nil id.
    void add(const StreamName& stream, Version version, Timestamp recorded_at, NewEvent event);
    /// Adds an event as it is.
    void add(EventView event);

    bool empty() const noexcept { return events_.empty(); }
    /// How many events it holds.
    std::size_t size() const noexcept { return events_.size(); }
    /// The first of its streams that is reserved for Daybook; null if there is none.
    const StreamName* reserved_stream() const noexcept;
    void clear() noexcept;

private:
    friend Transaction;

    /// How the events are divided into requests: neighbours of one stream and instant together, or
    /// each event by itself.
    enum class Cut { runs, events };
    std::vector<AppendRequest> requests(Cut cut) const;

    struct Run {
        StreamName stream;
        Version first;
        Timestamp recorded_at;
        std::size_t begin;
        std::size_t size;
    };

    std::vector<NewEvent> events_;
    std::vector<Run> runs_;
    std::set<std::string, std::less<>> type_names_;
};

}  // namespace daybook
