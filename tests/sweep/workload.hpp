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

// A small program over one store that uses what the library offers in numbered requests. A request
// commits as a whole, so it can be checked later whether the store holds all of it, and whether
// that agrees with the result that its caller got.

namespace daybook::test {

/// One of the `count` events of a request.
struct Did {
    static constexpr EventType type{"sweep.did", 1};
    std::uint64_t request = 0;
    std::uint64_t index = 0;
    std::uint64_t count = 0;
    std::int64_t delta = 0;
    static constexpr auto fields() {
        return daybook::fields("request", &Did::request, "index", &Did::index, "count", &Did::count,
                               "delta", &Did::delta);
    }
};

#define DAYBOOK_SWEEP_TYPE(Name, text)                                                        \
    struct Name {                                                                             \
        static constexpr EventType type{text, 1};                                             \
        std::uint64_t request = 0;                                                            \
        static constexpr auto fields() { return daybook::fields("request", &Name::request); } \
    }
DAYBOOK_SWEEP_TYPE(Note, "sweep.note");        // a message of a request
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

/// Whether the trip of this request is refused in its second step, and is compensated.
inline bool goes_back(std::uint64_t request) { return request % 3 == 0; }

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

enum class Verdict : std::uint8_t { unknown, stored, refused, in_doubt };

struct Request {
    std::uint64_t number = 0;
    std::uint64_t events = 0;     ///< of type Did
    bool is_transaction = false;  ///< with a message, an inbox mark and a row of its own
    bool starts_trip = false;
    Verdict verdict = Verdict::unknown;
    Position position{};         ///< of its last event, if the caller got one
    std::size_t started_at = 0;  ///< by the operations of the disk
    std::size_t answered_at = 0;
};

/// What callers have requested, the results that they got, and what they have read.
struct History {
    struct Read {
        std::size_t at = 0;
        std::vector<EventId> log;
    };
    struct Failure {
        std::string what;
        ErrorKind kind = ErrorKind::invalid;
    };
    std::vector<Request> requests;
    std::vector<Read> reads;
    std::vector<Failure> failures;

    /// The history up to so many operations, with all of its times set to 0.
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

struct WorkloadSetup {
    std::string path;
    std::uint64_t seed = 1;
    History history{};
    /// The time of the disk: how many operations it has done.
    std::function<std::size_t()> now = [] { return std::size_t{0}; };
    /// Called at the start of a request and when its verdict is known.
    std::function<void(const Request&)> report = [](const Request&) {};
    std::uint64_t first_request = 1;
    std::chrono::milliseconds busy_wait_max{20};
    std::string relay_name = "relay";
};

/// Runs the program, one step after another, and writes its history.
class Workload {
public:
    explicit Workload(WorkloadSetup setup);

    /// The steps. Each returns when its caller has the result. A step that fails is recorded in the
    /// history.
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
    /// A random one of these steps.
    void step();
    /// Works until nothing is left to be done.
    void drain();

    bool is_open() const { return program_ != nullptr; }
    Program& program() { return *program_; }
    const History& history() const { return history_; }
    std::string copy_path() const { return setup_.path + ".copy"; }
    std::string mirror_path() const { return setup_.path + ".mirror"; }
    const std::string& path() const { return setup_.path; }

private:
    Request& next_request(std::uint64_t events);
    void start(Request& request);
    std::vector<NewEvent> events_of(const Request& request) const;
    StreamName random_stream();
    /// Runs `work` and records the result that its caller gets.
    void finish(Request& request, const std::function<Position()>& work);
    /// Starts the request and finishes it.
    void attempt(Request& request, const std::function<Position()>& work);
    void attempt(std::string_view name, const std::function<void()>& work);
    void record_failure(std::string_view name);

    const WorkloadSetup setup_;
    std::mt19937_64 random_;
    VirtualClock clock_;
    History history_;
    std::unique_ptr<Program> program_;
};

}  // namespace daybook::test
