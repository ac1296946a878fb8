#include "workload.hpp"

#include <chrono>
#include <future>
#include <thread>

namespace daybook::test {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t streams_max = 6;

RelayOptions relay_options(const std::string& name) {
    RelayOptions options;
    options.name = name;
    options.retry = every(1ms).attempts(1'000'000);
    options.down_pause = 1ms;
    options.seed = 1;
    return options;
}

/// A program that dies while it rebuilds a model is soon replaced.
RebuildOptions short_lease() { return {.lease = 10ms}; }

}  // namespace

History History::as_of(std::size_t operations) const {
    History then;
    for (Request request : requests) {
        if (request.started_at > operations) break;
        if (request.answered_at > operations) request.verdict = Verdict::unknown;
        request.started_at = 0;
        request.answered_at = 0;
        then.requests.push_back(request);
    }
    for (const Read& read : reads) {
        if (read.at <= operations) then.reads = {{0, read.log}};
    }
    return then;
}

Program::Program(const std::string& path, const StoreOptions& options,
                 const std::string& relay_name)
    : store(EventStore::open(path, options)),
      accounts(store, {.snapshot_every = 2}),
      transport(store),
      sagas(store, transport),
      relay(store, transport, relay_options(relay_name)),
      models(store, {.rebuild = short_lease()}) {
    add_consumers(transport);
    sagas.add(trip());
    add_models(models);
}

Program::~Program() = default;

Workload::Workload(WorkloadSetup setup)
    : setup_(std::move(setup)),
      random_(setup_.seed),
      clock_(parse_iso8601("2026-01-01")),
      history_(setup_.history) {}

// ---- the results that callers get

void Workload::record_failure(std::string_view name) {
    const std::string step{name};
    try {
        throw;
    } catch (const Error& error) {
        history_.failures.push_back({step + ": " + error.what(), error.kind()});
    } catch (const std::exception& error) {
        history_.failures.push_back({step + ": not an Error: " + error.what()});
    }
}

void Workload::attempt(std::string_view name, const std::function<void()>& work) {
    try {
        if (!program_ && name != "open") open();
        if (program_ || name == "open") work();
    } catch (...) {
        record_failure(name);
    }
    clock_.advance(5ms);
}

void Workload::start(Request& request) {
    request.started_at = setup_.now();
    setup_.report(request);
}

void Workload::attempt(Request& request, const std::function<Position()>& work) {
    start(request);
    finish(request, work);
}

void Workload::finish(Request& request, const std::function<Position()>& work) {
    try {
        if (!program_) open();
        // A store that could not be opened stores nothing.
        request.verdict = Verdict::refused;
        if (program_) {
            request.verdict = Verdict::unknown;
            request.position = work();
            request.verdict = Verdict::stored;
        }
    } catch (const Error& error) {
        const bool in_doubt = error.kind() == ErrorKind::in_doubt;
        request.verdict = in_doubt ? Verdict::in_doubt : Verdict::refused;
        record_failure("request " + std::to_string(request.number));
    } catch (...) {
        record_failure("request " + std::to_string(request.number));
    }
    request.answered_at = setup_.now();
    setup_.report(request);
    clock_.advance(5ms);
}

// ---- steps

Request& Workload::next_request(std::uint64_t events) {
    const std::uint64_t number = setup_.first_request + history_.requests.size();
    return history_.requests.emplace_back(Request{.number = number, .events = events});
}

std::vector<NewEvent> Workload::events_of(const Request& request) const {
    std::vector<NewEvent> events;
    for (std::uint64_t i = 0; i < request.events; ++i) {
        const auto delta = static_cast<std::int64_t>(request.number * 7 + i) % 100 - 40;
        NewEvent& event = events.emplace_back(Did{request.number, i, request.events, delta});
        event.id = EventId::from_name(std::to_string(request.number) + "/" + std::to_string(i));
    }
    return events;
}

StreamName Workload::random_stream() {
    return StreamName{"thing-" + std::to_string(random_() % streams_max)};
}

void Workload::open() {
    attempt("open", [this] {
        const StoreOptions options{.busy_wait_max = setup_.busy_wait_max, .clock = &clock_};
        program_ = std::make_unique<Program>(setup_.path, options, setup_.relay_name);
    });
}

void Workload::append() {
    Request& request = next_request(1 + random_() % 3);
    attempt(request, [&] {
        const StreamName stream = random_stream();
        const Version version = program_->store.version(stream);
        return program_->store.append(stream, at_version(version), events_of(request)).position;
    });
}

void Workload::append_group() {
    if (!program_) open();
    if (!program_) return;
    constexpr std::size_t appends = 4;
    const std::size_t first = history_.requests.size();
    for (std::size_t i = 0; i < appends; ++i) start(next_request(1 + random_() % 2));
    std::vector<std::future<AppendResult>> results(appends);
    for (std::size_t i = 0; i < appends; ++i) {
        const auto events = events_of(history_.requests[first + i]);
        results[i] = program_->store.append_async(random_stream(), any_version, events);
    }
    for (std::size_t i = 0; i < appends; ++i) {
        finish(history_.requests[first + i], [&] { return results[i].get().position; });
    }
}

void Workload::transact() {
    Request& request = next_request(3);
    request.is_transaction = true;
    const std::string number = std::to_string(request.number);
    attempt(request, [&] {
        const auto events = events_of(request);
        const auto work = [&](Transaction& tx) {
            tx.append(random_stream(), any_version, std::span{events}.first(2));
            tx.append(random_stream(), any_version, std::span{events}.last(1));
            tx.publish("notes", Note{request.number}, {.key = std::to_string(request.number % 3)});
            tx.mark_handled("marker", EventId::from_name("mark " + number));
            tx.sql().exec("CREATE TABLE IF NOT EXISTS sweep_row(request INTEGER PRIMARY KEY)");
            tx.sql().exec("INSERT INTO sweep_row(request) VALUES(?)", request.number);
        };
        program_->store.transact(work);
        // `transact` returns no position of its events.
        return Position{};
    });
}

void Workload::deposit() {
    Request& request = next_request(1);
    attempt(request, [&] {
        const StreamName id{"account-" + std::to_string(request.number % 2)};
        const auto delta = static_cast<std::int64_t>(request.number);
        const auto change = [&](Account& account) {
            account.deposit(Did{request.number, 0, 1, delta});
        };
        return program_->accounts.update_or_create(id, change).position;
    });
}

void Workload::start_trip() {
    Request& request = next_request(0);
    request.starts_trip = true;
    attempt(request, [&] {
        const StreamName stream{"trip-" + std::to_string(request.number)};
        return program_->store.append(stream, no_stream, {Started{request.number}}).position;
    });
}

void Workload::project() {
    attempt("project", [this] { program_->models.run_once(); });
}

void Workload::relay() {
    attempt("relay", [this] { program_->relay.run_once(); });
}

void Workload::run_sagas() {
    attempt("sagas", [this] { program_->sagas.run_once(); });
}

void Workload::rebuild(std::string_view model) {
    attempt("rebuild", [&] {
        program_->models.run_once();
        program_->models.rebuild(model, short_lease());
    });
}

void Workload::rebuild_saga_index() {
    attempt("rebuild of the saga index", [this] { SagaIndex{program_->store}.rebuild(); });
}

void Workload::mirror() {
    attempt("mirror", [this] {
        const EventStore target = EventStore::open(mirror_path(), {.busy_wait_max = 20ms});
        Mirror{program_->store, target, {.batch_max = 20}}.run_once();
    });
}

void Workload::purge() {
    // No mark is that old, but the purge searches for them.
    attempt("purge", [this] { purge_inbox(program_->store, parse_iso8601("2025-01-01")); });
}

void Workload::read() {
    attempt("read", [this] {
        History::Read read;
        for (const EventView event : program_->store.read_all()) read.log.push_back(event.id());
        read.at = setup_.now();
        history_.reads.push_back(std::move(read));
    });
}

void Workload::migrate() {
    attempt("migrate", [this] {
        const EventStore copy = EventStore::open(copy_path(), {.busy_wait_max = 20ms});
        daybook::migrate(program_->store, copy, {.batch_max = 20});
    });
}

void Workload::step() {
    const std::uint64_t drawn = random_() % 100;
    if (drawn < 28) return append();
    if (drawn < 35) return append_group();
    if (drawn < 55) return transact();
    if (drawn < 65) return deposit();
    if (drawn < 70) return start_trip();
    if (drawn < 78) return project();
    if (drawn < 85) return relay();
    if (drawn < 90) return run_sagas();
    if (drawn < 93) return rebuild(model_names[random_() % std::size(model_names)]);
    if (drawn < 97) return read();
    close();
    open();
}

void Workload::drain() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const std::size_t failures_max = history_.failures.size() + 5;
    bool done = false;
    while (!done && std::chrono::steady_clock::now() < deadline) {
        if (history_.failures.size() > failures_max) return;
        std::size_t moved = 0;
        attempt("drain", [&] {
            moved = program_->sagas.run_once() + program_->relay.run_once() +
                    program_->models.run_once();
            done = moved == 0 && outbox_status(program_->store).unsent() == 0 &&
                   program_->models.wait_for(program_->store.head(), 0ms);
        });
        // A message or a saga waits for its next retry, in part by the machine's clock.
        if (moved == 0 && !done) std::this_thread::sleep_for(200us);
    }
}

}  // namespace daybook::test
