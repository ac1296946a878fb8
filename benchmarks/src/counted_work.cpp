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
class Book {
public:
    enum class Filled : bool { no, yes };

    explicit Book(const Scratch& scratch, Filled filled = Filled::yes)
        : store(open(scratch, filled)),
          made(filled == Filled::yes ? streams * events_per_stream : 0) {}

    static std::string name(std::size_t i) { return "account-" + std::to_string(i % streams); }

    void append(const std::string& stream, std::size_t count) {
        std::vector<daybook::NewEvent> events;
        for (std::size_t i = 0; i < count; ++i) events.push_back(sample.new_event(made++));
        store.append(stream, daybook::any, events);
    }

    daybook::EventStore store;
    const Sample sample{};
    std::size_t made;  ///< events

private:
    static daybook::EventStore open(const Scratch& scratch, Filled filled) {
        if (filled == Filled::yes) {
            Book book{scratch, Filled::no};
            for (std::size_t i = 0; i < streams; ++i) book.append(name(i), events_per_stream);
        }
        return daybook::EventStore::open(scratch.file("counted.db"));
    }
};

/// Does `act` a few times, so that what is done the first time only is not counted, and returns
/// what does it `times` times. These are few, so that no checkpoint begins meanwhile: when it does
/// is a matter of time.
std::function<void()> repeat(std::size_t times, const std::function<void(std::size_t)>& act) {
    constexpr std::size_t first = 10;
    for (std::size_t i = 0; i < first; ++i) act(i);
    return [=] {
        for (std::size_t i = first; i < first + times; ++i) act(i);
    };
}

std::function<void()> append_to_streams(const Scratch& scratch, std::size_t times) {
    return repeat(times, [book = std::make_shared<Book>(scratch)](std::size_t i) {
        book->append(Book::name(i), 1);
    });
}

std::function<void()> append_to_new_streams(const Scratch& scratch, std::size_t times) {
    return repeat(times, [book = std::make_shared<Book>(scratch)](std::size_t i) {
        book->append("other-" + std::to_string(i), 1);
    });
}

std::function<void()> append_hundreds(const Scratch& scratch, std::size_t times) {
    return [=, book = std::make_shared<Book>(scratch)] {
        for (std::size_t i = 0; i < times; i += 100) book->append(Book::name(i / 100), 100);
    };
}

std::function<void()> publish_in_units(const Scratch& scratch, std::size_t times) {
    return repeat(times, [book = std::make_shared<Book>(scratch)](std::size_t i) {
        const std::string name = Book::name(i);
        const auto event = book->sample.new_event(i);
        book->store.transact([&](daybook::Transaction& tx) {
            tx.append(name, daybook::any, {&event, 1});
            tx.publish("bookings", book->sample.event(i), {.key = name});
        });
    });
}

std::function<void()> read_log(const Scratch& scratch, std::size_t times) {
    return [=, book = std::make_shared<Book>(scratch)] {
        for (std::size_t seen = 0; seen < times;) {
            std::size_t bytes = 0;
            for (const daybook::EventView event : book->store.read_all()) {
                bytes += event.data().size();
                ++seen;
            }
            check_equal("bytes of the log", bytes, book->made * Sample::payload_bytes);
        }
    };
}

std::function<void()> load_aggregates(const Scratch& scratch, std::size_t times) {
    const auto book = std::make_shared<Book>(scratch);
    return [=, repository = daybook::Repository<PlainAccount>{book->store}] {
        for (std::size_t i = 0; i < times; i += events_per_stream) {
            const auto account = repository.load(Book::name(i / events_per_stream));
            check_equal("events of an account", account.version().value(), events_per_stream);
        }
    };
}

std::function<void()> rebuild_model(const Scratch& scratch, std::size_t times) {
    const auto book = std::make_shared<Book>(scratch);
    const auto runner = std::make_shared<daybook::ProjectionRunner>(book->store);
    runner->add(Counted{});
    return [=] {
        for (std::size_t fed = 0; fed < times;) fed += runner->rebuild(Counted::name).scanned;
    };
}

std::function<void()> relay_messages(const Scratch& scratch, std::size_t times) {
    const auto book = std::make_shared<Book>(scratch, Book::Filled::no);
    book->store.transact([&](daybook::Transaction& tx) {
        for (std::size_t i = 0; i < times; ++i)
            tx.publish("bookings", book->sample.event(i), {.key = Book::name(i)});
    });
    return [=] {
        CountingTransport transport;
        daybook::Relay relay{book->store, transport, {}};
        while (transport.delivered < times) relay.run_once();
        check_equal("messages left", daybook::outbox_status(book->store).unsent(), std::size_t{0});
    };
}

}  // namespace

std::span<const CountedWork> all_counted_works() {
    static constexpr std::array works{
        CountedWork{"append 1", "event", 60, append_to_streams},
        CountedWork{"append 1 to a new stream", "event", 60, append_to_new_streams},
        CountedWork{"append 100", "event", 10'000, append_hundreds},
        CountedWork{"a unit with a message", "unit", 60, publish_in_units},
        CountedWork{"read the log", "event", 50'000, read_log},
        CountedWork{"load an aggregate", "event", 50'000, load_aggregates},
        CountedWork{"rebuild", "event", 50'000, rebuild_model},
        CountedWork{"relay", "message", 5'000, relay_messages}};
    return works;
}

}  // namespace bench
