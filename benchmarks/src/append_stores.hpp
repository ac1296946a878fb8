#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "case.hpp"
#include "daybook_appender.hpp"
#include "floor_log.hpp"
#include "postgres_floor.hpp"
#include "postgres_server.hpp"
#include "sample.hpp"
#include "scratch.hpp"

namespace bench {

/// Appends to a floor's log, and counts what it must hold.
template <class Log>
class FloorAppender {
public:
    template <class... Args>
    explicit FloorAppender(const Sample& sample, const Args&... args)
        : log(args...), sample_(sample) {}

    Log log;

    /// The next event of a random stream.
    floor_event next() { return next_of(random_() % append_streams); }
    /// `count` events of one random stream, or each of its own. Valid until the next call.
    const std::vector<floor_event>& next_of_one(std::size_t count) {
        const auto stream = random_() % append_streams;
        batch_.clear();
        for (std::size_t i = 0; i < count; ++i) batch_.push_back(next_of(stream));
        return batch_;
    }
    const std::vector<floor_event>& next_of_many(std::size_t count) {
        batch_.clear();
        for (std::size_t i = 0; i < count; ++i) batch_.push_back(next());
        return batch_;
    }
    /// Each stream has one caller at a time. The events are counted by `add_events` afterwards.
    floor_event next_of(std::size_t stream, std::size_t event_index) {
        return sample_.raw_event(event_index, stream, ++versions_[stream]);
    }
    void add_events(std::int64_t events) { events_ += events; }

    /// Throws WrongResult unless the log holds exactly what was appended.
    void check() {
        const auto sum = log.read_all();
        check_equal("events of the floor", sum.events, events_);
        check_equal("bytes of the floor", sum.bytes,
                    events_ * static_cast<std::int64_t>(Sample::payload_bytes));
    }

private:
    floor_event next_of(std::size_t stream) {
        return next_of(stream, static_cast<std::size_t>(events_++));
    }

    const Sample& sample_;
    std::vector<std::int64_t> versions_ = std::vector<std::int64_t>(append_streams);
    std::int64_t events_ = 0;
    std::mt19937_64 random_{11};
    std::vector<floor_event> batch_;
};

/// A floor's log and a Daybook store for the cases that append. Both start with the same number of
/// events in the same streams.
struct AppendStores {
    AppendStores(const Scratch& scratch, bool quick);

    const Sample sample{};
    FloorAppender<FloorLog> floor;
    DaybookAppender daybook;

    void check() {
        floor.check();
        daybook.check();
    }
};

/// The same on PostgreSQL.
struct PostgresAppendStores {
    PostgresAppendStores(const PostgresServer& server, bool quick);

    const Sample sample{};
    FloorAppender<PostgresFloor> floor;
    DaybookAppender daybook;

    void check() {
        floor.check();
        daybook.check();
    }
    static constexpr const char* floor_schema = "append-floor";
};

}  // namespace bench
