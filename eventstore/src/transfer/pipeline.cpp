#include "transfer/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "values/event_copy.hpp"

namespace daybook::detail {

namespace {

/// The source is read again after this time at the latest. A wake-up may be lost, so polling alone
/// has to be enough; the wake-up makes it faster.
constexpr std::chrono::milliseconds poll_interval{500};

}  // namespace

TransferEvent::TransferEvent(const EventRow& row)
    : position(row.position),
      stream(row.stream),
      version(row.version),
      recorded_at(row.recorded_at),
      event(copy_of(EventView{row})),
      weight(sizeof(TransferEvent) + row.stream.size() + row.data.size() + row.metadata.size()) {}

/// A call of `run`. When a stage ends with an error, all stages stop. The first error is rethrown.
struct TransferPipeline::Session {
    std::stop_source stop;
    Mutex mutex;
    std::exception_ptr failure DAYBOOK_GUARDED_BY(mutex);

    template <class Work>
    void guard(const Work& work) {
        try {
            work();
        } catch (...) {
            const MutexLock lock{mutex};
            if (!failure) failure = std::current_exception();
            stop.request_stop();
        }
    }
};

void TransferPipeline::run(const LogPoint& after, Position until, const std::stop_token& stop,
                           const Sink& sink) {
    has_read_head_ = false;
    Session session;
    const std::stop_token token = session.stop.get_token();
    const std::stop_callback pass_on{stop, [&] { session.stop.request_stop(); }};
    Queue read_events{options_.queue_max};
    Queue mapped_events{options_.queue_max};
    const bool maps = static_cast<bool>(options_.map);
    Queue& arriving = maps ? mapped_events : read_events;
    {
        std::jthread reader;
        std::jthread mapper;
        session.guard([&] {
            reader = std::jthread{
                [&] { session.guard([&] { read(after, until, read_events, token); }); }};
            if (maps) {
                mapper = std::jthread{
                    [&] { session.guard([&] { map(read_events, mapped_events, token); }); }};
            }
            std::vector<TransferEvent> events;
            while (arriving.pop(events, options_.batch_max, token)) sink(events);
        });
        // The sink has failed or has all events: the other stages can stop.
        session.stop.request_stop();
    }
    note_peak(read_events);
    note_peak(mapped_events);
    const MutexLock lock{session.mutex};
    if (session.failure) std::rethrow_exception(session.failure);
}

void TransferPipeline::read(LogPoint at, Position until, Queue& out, const std::stop_token& stop) {
    EventPage page;
    std::vector<TransferEvent> events;
    while (at.position < until && !stop.stop_requested()) {
        const std::uint64_t seen = source_.commits();
        {
            const PooledReader reader{engine_of(source_)};
            reader->read({.from = at.position.next().value(),
                          .events_max = options_.batch_max,
                          .last_read = &at},
                         page);
            head_ = std::max(reader->head(), at.position).value();
            has_read_head_ = true;
        }
        for (const EventRow& row : page.rows) {
            if (row.position > until) break;
            if (row.position != at.position.next()) {
                throw CorruptError("store '" + source_.uri() + "' has no event at position " +
                                   std::to_string(at.position.next().value()) +
                                   ": restore it from a backup");
            }
            at = {row.position, row.id, at.store};
            events.emplace_back(row);
        }
        if (page.rows.empty()) {
            source_.wait_for_commit(seen, poll_interval, stop);
        } else if (!out.push(events, stop, poll_interval, [this] { refresh_head(); })) {
            return;
        }
        note_peak(out);
    }
    out.close();
}

void TransferPipeline::map(Queue& in, Queue& out, const std::stop_token& stop) const {
    std::vector<TransferEvent> events;
    while (in.pop(events, options_.batch_max, stop)) {
        for (TransferEvent& event : events) options_.map(event);
        if (!out.push(events, stop)) return;
    }
    out.close();
}

void TransferPipeline::note_peak(const Queue& queue) {
    const Queue::Size size = queue.peak();
    const MutexLock lock{mutex_};
    peak_ = {std::max(peak_.items, size.items), std::max(peak_.bytes, size.bytes)};
}

void TransferPipeline::refresh_head() noexcept {
    try {
        head_ = source_.head().value();
    } catch (const std::exception&) {
        // The source may be the store that cannot be reached. The head stays as it was.
    }
}

TransferPipeline::Queue::Size TransferPipeline::peak() const {
    const MutexLock lock{mutex_};
    return peak_;
}

}  // namespace daybook::detail
