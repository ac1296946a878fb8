#include "counted_work.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <daybook/eventstore/repository.hpp>
#include <daybook/messaging/outbox.hpp>
#include <daybook/messaging/relay.hpp>
#include <daybook/projections/projection_runner.hpp>

#include "account.hpp"
#include "case.hpp"
#include "counters.hpp"
#include "counting_transport.hpp"

namespace bench {

namespace {

constexpr std::size_t streams = 100;
constexpr std::size_t events_per_stream = 100;

/// A store in which `streams` streams hold `events_per_stream` events each, unless it is to be
/// empty. It was opened a moment ago, so its write-ahead log is short.
class StoreFixture {
public:
    enum class Filled : bool { no, yes };

    explicit StoreFixture(const Scratch& scratch, Filled filled = Filled::yes)
        : store(open(scratch, filled)),
          appended(filled == Filled::yes ? streams * events_per_stream : 0) {}

    static std::string name(std::size_t i) { return "account-" + std::to_string(i % streams); }

    void append(const std::string& stream, std::size_t count) {
        std::vector<daybook::NewEvent> events;
        for (std::size_t i = 0; i < count; ++i) events.push_back(sample.new_event(appended++));
        store.append(stream, daybook::any_version, events);
    }

    daybook::EventStore store;
    const Sample sample{};
    std::size_t appended;  ///< the number of its events

private:
    static daybook::EventStore open(const Scratch& scratch, Filled filled) {
        if (filled == Filled::yes) {
            StoreFixture fixture{scratch, Filled::no};
            for (std::size_t i = 0; i < streams; ++i) fixture.append(name(i), events_per_stream);
        }
        return daybook::EventStore::open(scratch.file("counted.db"));
    }
};

/// Warms up: calls `action` a few times, so that work of the first call only is not counted.
/// Returns a function that calls it `times` times. That is few enough that no checkpoint starts
/// meanwhile: the moment of its start varies, and so would the count.
std::function<void()> repeat(std::size_t times, const std::function<void(std::size_t)>& action) {
    constexpr std::size_t first = 10;
    for (std::size_t i = 0; i < first; ++i) action(i);
    return [=] {
        for (std::size_t i = first; i < first + times; ++i) action(i);
    };
}

std::function<void()> append_to_streams(const Scratch& scratch, std::size_t times) {
    return repeat(times, [fixture = std::make_shared<StoreFixture>(scratch)](std::size_t i) {
        fixture->append(StoreFixture::name(i), 1);
    });
}

std::function<void()> append_to_new_streams(const Scratch& scratch, std::size_t times) {
    return repeat(times, [fixture = std::make_shared<StoreFixture>(scratch)](std::size_t i) {
        fixture->append("other-" + std::to_string(i), 1);
    });
}

std::function<void()> append_hundreds(const Scratch& scratch, std::size_t times) {
    return [=, fixture = std::make_shared<StoreFixture>(scratch)] {
        for (std::size_t i = 0; i < times; i += 100)
            fixture->append(StoreFixture::name(i / 100), 100);
    };
}

std::function<void()> publish_in_transactions(const Scratch& scratch, std::size_t times) {
    return repeat(times, [fixture = std::make_shared<StoreFixture>(scratch)](std::size_t i) {
        const std::string name = StoreFixture::name(i);
        const auto event = fixture->sample.new_event(i);
        fixture->store.transact([&](daybook::Transaction& tx) {
            tx.append(name, daybook::any_version, {&event, 1});
            tx.publish("bookings", fixture->sample.event(i), {.key = name});
        });
    });
}

std::function<void()> read_log(const Scratch& scratch, std::size_t times) {
    return [=, fixture = std::make_shared<StoreFixture>(scratch)] {
        for (std::size_t events = 0; events < times;) {
            std::size_t bytes = 0;
            for (const daybook::EventView event : fixture->store.read_all()) {
                bytes += event.data().size();
                ++events;
            }
            check_equal("bytes of the log", bytes, fixture->appended * Sample::payload_bytes);
        }
    };
}

std::function<void()> load_aggregates(const Scratch& scratch, std::size_t times) {
    const auto fixture = std::make_shared<StoreFixture>(scratch);
    return [=, repository = daybook::Repository<PlainAccount>{fixture->store}] {
        for (std::size_t i = 0; i < times; i += events_per_stream) {
            const auto account = repository.load(StoreFixture::name(i / events_per_stream));
            check_equal("events of an account", account.version().value(), events_per_stream);
        }
    };
}

std::function<void()> rebuild_model(const Scratch& scratch, std::size_t times) {
    const auto fixture = std::make_shared<StoreFixture>(scratch);
    const auto runner = std::make_shared<daybook::ProjectionRunner>(fixture->store);
    runner->add(Counted{});
    return [=] {
        for (std::size_t fed = 0; fed < times;) fed += runner->rebuild(Counted::name).scanned;
    };
}

std::function<void()> relay_messages(const Scratch& scratch, std::size_t times) {
    const auto fixture = std::make_shared<StoreFixture>(scratch, StoreFixture::Filled::no);
    fixture->store.transact([&](daybook::Transaction& tx) {
        for (std::size_t i = 0; i < times; ++i)
            tx.publish("bookings", fixture->sample.event(i), {.key = StoreFixture::name(i)});
    });
    return [=] {
        CountingTransport transport;
        daybook::Relay relay{fixture->store, transport, {}};
        while (transport.delivered < times) relay.run_once();
        check_equal("messages left", daybook::outbox_status(fixture->store).unsent(),
                    std::size_t{0});
    };
}

}  // namespace

std::span<const CountedWork> all_counted_works() {
    static constexpr std::array works{
        CountedWork{"append 1", "event", 60, append_to_streams},
        CountedWork{"append 1 to a new stream", "event", 60, append_to_new_streams},
        CountedWork{"append 100", "event", 10'000, append_hundreds},
        CountedWork{"a transaction with a message", "transaction", 60, publish_in_transactions},
        CountedWork{"read the log", "event", 50'000, read_log},
        CountedWork{"load an aggregate", "event", 50'000, load_aggregates},
        CountedWork{"rebuild", "event", 50'000, rebuild_model},
        CountedWork{"relay", "message", 5'000, relay_messages}};
    return works;
}

}  // namespace bench
