#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/eventstore.hpp"
#include "daybook/messaging/messaging.hpp"
#include "daybook/projections/projections.hpp"
#include "daybook/sagas/sagas.hpp"

// A small program over one store that uses what the library offers in numbered units, so that it
// can be said of each unit later whether the store holds it whole, and what its caller was told.

namespace daybook::test {

/// One of the `count` events of a unit.
struct Did {
    static constexpr EventType type{"sweep.did", 1};
    std::uint64_t unit = 0;
    std::uint64_t index = 0;
    std::uint64_t count = 0;
    std::int64_t delta = 0;
    static constexpr auto fields() {
        return daybook::fields("unit", &Did::unit, "index", &Did::index, "count", &Did::count,
                               "delta", &Did::delta);
    }
};

#define DAYBOOK_SWEEP_TYPE(Name, text)                                                  \
    struct Name {                                                                       \
        static constexpr EventType type{text, 1};                                       \
        std::uint64_t unit = 0;                                                         \
        static constexpr auto fields() { return daybook::fields("unit", &Name::unit); } \
    }
DAYBOOK_SWEEP_TYPE(Note, "sweep.note");        // a message of a unit
DAYBOOK_SWEEP_TYPE(Handled, "sweep.handled");  // its effect
DAYBOOK_SWEEP_TYPE(Started, "sweep.started");  // starts a trip
DAYBOOK_SWEEP_TYPE(Hold, "sweep.hold");
DAYBOOK_SWEEP_TYPE(Held, "sweep.held");
DAYBOOK_SWEEP_TYPE(Release, "sweep.release");
DAYBOOK_SWEEP_TYPE(Released, "sweep.released");
DAYBOOK_SWEEP_TYPE(Book, "sweep.book");
DAYBOOK_SWEEP_TYPE(Booked, "sweep.booked");
DAYBOOK_SWEEP_TYPE(Refused, "sweep.refused");
#undef DAYBOOK_SWEEP_TYPE

/// Whether the trip of this unit is refused in its second step, and goes back.
inline bool goes_back(std::uint64_t unit) { return unit % 3 == 0; }

/// By stream: how many events, and the sum of their deltas.
using Sums = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;

class Account : public AggregateRoot<Account, Did> {
public:
    using AggregateRoot::AggregateRoot;

    void deposit(const Did& did) { raise(did); }
    std::pair<std::int64_t, std::int64_t> sums() const { return {events_, total_}; }

    static constexpr auto fields() {
        return daybook::fields("events", &Account::events_, "total", &Account::total_);
    }

private:
    friend AggregateRoot;
    void on(const Did& did) {
        ++events_;
        total_ += did.delta;
    }
    std::int64_t events_ = 0;
    std::int64_t total_ = 0;
};

enum class Verdict : std::uint8_t { untold, stored, refused, in_doubt };

struct Unit {
    std::uint64_t number = 0;
    std::uint64_t events = 0;     ///< of type Did
    bool is_transaction = false;  ///< with a message, an inbox mark and a row of its own
    bool starts_trip = false;
    Verdict verdict = Verdict::untold;
    Position position{};       ///< of its last event, if it was told so
    std::size_t begun_at = 0;  ///< operations of the disk
    std::size_t told_at = 0;
};

/// What callers have tried, were told and have seen.
struct History {
    struct Seen {
        std::size_t at = 0;
        std::vector<EventId> log;
    };
    struct Failure {
        std::string what;
        ErrorKind kind = ErrorKind::invalid;
    };
    std::vector<Unit> units;
    std::vector<Seen> seen;
    std::vector<Failure> failures;

    /// The same as it stood after so many operations, all of them long ago.
    History as_of(std::size_t operations) const;
};

/// Everything that is open.
struct Program {
    Program(const std::string& path, const StoreOptions& options, const std::string& relay_name);
    ~Program();

    EventStore store;
    Repository<Account> accounts;
    LocalTransport transport;
    SagaOrchestrator sagas;
    Relay relay;
    ProjectionRunner models;
};

inline constexpr std::string_view model_names[] = {"sums", "sums_keyed", "sums_inline"};

/// The trip saga's participants and the receiver of notes.
void add_consumers(LocalTransport& transport);
SagaDefinition trip();
void add_models(ProjectionRunner& models);

struct WorldSetup {
    std::string path;
    std::uint64_t seed = 1;
    History history{};
    /// The time of the disk: how many operations it has done.
    std::function<std::size_t()> now = [] { return std::size_t{0}; };
    /// Called when a unit begins and when its verdict is known.
    std::function<void(const Unit&)> tell = [](const Unit&) {};
    std::uint64_t first_unit = 1;
    std::chrono::milliseconds busy_wait_max{20};
    std::string relay_name = "relay";
};

/// The world runs the program, one step after another, and writes its history.
class World {
public:
    explicit World(WorldSetup setup);

    /// The steps, each of which returns when its caller knows the outcome. One that fails is noted
    /// in the history.
    void open();
    void close() { program_.reset(); }
    void append();
    void append_group();
    void transact();
    void deposit();
    void start_trip();
    void project();
    void relay();
    void run_sagas();
    void rebuild_saga_index();
    void mirror();
    void purge();
    void rebuild(std::string_view model);
    void read();
    void migrate();
    /// One of them at random.
    void step();
    /// Until nothing is left to be done.
    void settle();

    bool is_open() const { return program_ != nullptr; }
    Program& program() { return *program_; }
    const History& history() const { return history_; }
    std::string copy_path() const { return setup_.path + ".copy"; }
    std::string mirror_path() const { return setup_.path + ".mirror"; }
    const std::string& path() const { return setup_.path; }

private:
    Unit& next_unit(std::uint64_t events);
    void begin(Unit& unit);
    std::vector<NewEvent> events_of(const Unit& unit) const;
    StreamName some_stream();
    /// Runs `work` and notes what its caller hears.
    void finish(Unit& unit, const std::function<Position()>& work);
    /// Begins the unit and finishes it.
    void attempt(Unit& unit, const std::function<Position()>& work);
    void attempt(std::string_view name, const std::function<void()>& work);
    void note_failure(std::string_view name);

    const WorldSetup setup_;
    std::mt19937_64 random_;
    VirtualClock clock_;
    History history_;
    std::unique_ptr<Program> program_;
};

}  // namespace daybook::test
