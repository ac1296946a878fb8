#include <memory>
#include <span>
#include <string>

#include <daybook/eventstore/event_store.hpp>

#include "cases.hpp"
#include "postgres_floor.hpp"
#include "sample.hpp"
#include "timed_calls.hpp"

namespace bench {

namespace {

/// A floor's log and a Daybook store, both empty at first. Every call makes a stream.
class NewStreams {
public:
    explicit NewStreams(const PostgresServer& server)
        : floor_(server.uri(), server.schema("new-floor"), PostgresFloor::Schema::make),
          daybook_(daybook::EventStore::open(server.store_uri("new-daybook"))) {
        floor_.name_streams();
    }

    void append_to_floor() {
        const std::string name = "account-" + std::to_string(++floor_events_);
        // The sample repeats its ids, and this floor keeps them unique.
        const auto id = daybook::EventId::generate();
        floor_event event = sample_.raw_event(floor_events_, 0, 1);
        event.id = id.bytes().data();
        floor_.call_new(name, event);
    }
    void append_to_daybook() {
        const daybook::StreamName name{"account-" + std::to_string(++daybook_events_)};
        const auto event = sample_.new_event(daybook_events_);
        daybook_.append(name, daybook::no_stream, std::span{&event, 1});
    }
    /// Throws WrongResult unless both hold what was appended.
    void check() {
        check_equal("events of the floor", floor_.read_all().events,
                    static_cast<std::int64_t>(floor_events_));
        check_equal("events of Daybook", daybook_.head().value(), daybook_events_);
    }

private:
    const Sample sample_{};
    PostgresFloor floor_;
    daybook::EventStore daybook_;
    std::size_t floor_events_ = 0;
    std::size_t daybook_events_ = 0;
};

}  // namespace

Case postgres_new_streams(Bench& bench) {
    const auto streams = std::make_shared<NewStreams>(bench.postgres());
    const auto calls = bench.scaled(1000);
    Case out{.id = "P1n", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    out.ways = {{"floor", "events",
                 [=] { return timed_calls(calls, 1, [&] { streams->append_to_floor(); }); }},
                {"Daybook", "events",
                 [=] { return timed_calls(calls, 1, [&] { streams->append_to_daybook(); }); }}};
    out.comparisons = {
        {"append, the first event of a new stream", 1, 0, Measure::rate, Goal{0.90}}};
    out.check = [streams] { streams->check(); };
    return out;
}

}  // namespace bench
