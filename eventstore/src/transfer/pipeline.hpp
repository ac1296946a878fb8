#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <stop_token>
#include <vector>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/log_point.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "transfer/bounded_queue.hpp"

namespace daybook::detail {

/// An event that is copied from one store to another.
struct TransferEvent {
    Position position;
    StreamName stream;
    Version version;
    Timestamp recorded_at;
    NewEvent event;
    std::size_t weight;
    bool dropped = false;

    explicit TransferEvent(const EventRow& row);
    std::size_t bytes() const noexcept { return weight; }
};

/// The stages of a transfer: one thread reads the source, one maps if there is a map, and the
/// caller's thread stores the events. Between them are queues of limited size, so the slowest stage
/// sets the pace and memory is limited.
class TransferPipeline {
public:
    using Queue = BoundedQueue<TransferEvent>;
    /// Changes an event or marks it as dropped.
    using Map = std::function<void(TransferEvent&)>;
    /// Stores events, in the order of their positions.
    using Sink = std::function<void(std::vector<TransferEvent>&)>;

    struct Options {
        Map map{};
        std::size_t batch_max = 1'000;  ///< the most events in one call of the sink
        Queue::Size queue_max{4'000, 16 * 1024 * 1024};
    };

    TransferPipeline(EventStore source, Options options)
        : source_(std::move(source)), options_(std::move(options)) {}

    /// Calls the sink with the events after `after` up to `until`, and waits for those that are not
    /// appended yet. Returns earlier only if `stop` is requested. Throws what a stage throws, and
    /// InvalidError if the source no longer is the log of `after`. After an error or a stop, events
    /// that are still in the queues are dropped. Called by one thread.
    void run(const LogPoint& after, Position until, const std::stop_token& stop, const Sink& sink);

    /// Reads the head of the source while no page is read from it. Keeps the last head if the
    /// source cannot be reached.
    void refresh_head() noexcept;
    /// The head of the source, as last read.
    Position head() const noexcept { return Position{head_.load()}; }
    /// Whether it was read in this run.
    bool has_read_head() const noexcept { return has_read_head_.load(); }
    /// The most that any queue has held.
    Queue::Size peak() const;

private:
    struct Session;

    void read(LogPoint at, Position until, Queue& out, const std::stop_token& stop);
    void map(Queue& in, Queue& out, const std::stop_token& stop) const;
    void note_peak(const Queue& queue);

    EventStore source_;
    const Options options_;
    std::atomic<std::uint64_t> head_{0};
    std::atomic<bool> has_read_head_{false};
    mutable Mutex mutex_;
    Queue::Size peak_ DAYBOOK_GUARDED_BY(mutex_);
};

}  // namespace daybook::detail
