#include "world.hpp"

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

}  // namespace

History History::as_of(std::size_t operations) const {
    History then;
    for (Unit unit : units) {
        if (unit.begun_at > operations) break;
        if (unit.told_at > operations) unit.verdict = Verdict::untold;
        unit.begun_at = 0;
        unit.told_at = 0;
        then.units.push_back(unit);
    }
    for (const Seen& look : seen) {
        if (look.at <= operations) then.seen = {{0, look.log}};
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
      models(store) {
    add_consumers(transport);
    sagas.add(trip());
    add_models(models);
}

Program::~Program() = default;

World::World(WorldSetup setup)
    : setup_(std::move(setup)),
      random_(setup_.seed),
      clock_(parse_iso8601("2026-01-01")),
      history_(setup_.history) {}

// ---- what callers hear

void World::note_failure(std::string_view name) {
    const std::string step{name};
    try {
        throw;
    } catch (const Error& error) {
        history_.failures.push_back({step + ": " + error.what(), error.kind()});
    } catch (const std::exception& error) {
        history_.failures.push_back({step + ": not an Error: " + error.what()});
    }
}

void World::attempt(std::string_view name, const std::function<void()>& work) {
    try {
        if (!program_ && name != "open") open();
        if (program_ || name == "open") work();
    } catch (...) {
        note_failure(name);
    }
    clock_.advance(5ms);
}

void World::begin(Unit& unit) {
    unit.begun_at = setup_.now();
    setup_.tell(unit);
}

void World::attempt(Unit& unit, const std::function<Position()>& work) {
    begin(unit);
    finish(unit, work);
}

void World::finish(Unit& unit, const std::function<Position()>& work) {
    try {
        if (!program_) open();
        // What could not be opened stores nothing.
        unit.verdict = Verdict::refused;
        if (program_) {
            unit.verdict = Verdict::untold;
            unit.position = work();
            unit.verdict = Verdict::stored;
        }
    } catch (const Error& error) {
        const bool in_doubt = error.kind() == ErrorKind::in_doubt;
        unit.verdict = in_doubt ? Verdict::in_doubt : Verdict::refused;
        note_failure("unit " + std::to_string(unit.number));
    } catch (...) {
        note_failure("unit " + std::to_string(unit.number));
    }
    unit.told_at = setup_.now();
    setup_.tell(unit);
    clock_.advance(5ms);
}

// ---- steps

Unit& World::next_unit(std::uint64_t events) {
    const std::uint64_t number = setup_.first_unit + history_.units.size();
    return history_.units.emplace_back(Unit{.number = number, .events = events});
}

std::vector<NewEvent> World::events_of(const Unit& unit) const {
    std::vector<NewEvent> events;
    for (std::uint64_t i = 0; i < unit.events; ++i) {
        const auto delta = static_cast<std::int64_t>(unit.number * 7 + i) % 100 - 40;
        NewEvent& event = events.emplace_back(Did{unit.number, i, unit.events, delta});
        event.id = EventId::from_name(std::to_string(unit.number) + "/" + std::to_string(i));
    }
    return events;
}

StreamName World::some_stream() {
    return StreamName{"thing-" + std::to_string(random_() % streams_max)};
}

void World::open() {
    attempt("open", [this] {
        const StoreOptions options{.busy_wait_max = setup_.busy_wait_max, .clock = &clock_};
        program_ = std::make_unique<Program>(setup_.path, options, setup_.relay_name);
    });
}

void World::append() {
    Unit& unit = next_unit(1 + random_() % 3);
    attempt(unit, [&] {
        const StreamName stream = some_stream();
        const Version version = program_->store.version(stream);
        return program_->store.append(stream, at_version(version), events_of(unit)).position;
    });
}

void World::append_group() {
    if (!program_) open();
    if (!program_) return;
    constexpr std::size_t appends = 4;
    const std::size_t first = history_.units.size();
    for (std::size_t i = 0; i < appends; ++i) begin(next_unit(1 + random_() % 2));
    std::vector<std::future<AppendResult>> answers(appends);
    for (std::size_t i = 0; i < appends; ++i) {
        const auto events = events_of(history_.units[first + i]);
        answers[i] = program_->store.append_async(some_stream(), any, events);
    }
    for (std::size_t i = 0; i < appends; ++i) {
        finish(history_.units[first + i], [&] { return answers[i].get().position; });
    }
}

void World::transact() {
    Unit& unit = next_unit(3);
    unit.is_transaction = true;
    const std::string number = std::to_string(unit.number);
    attempt(unit, [&] {
        const auto events = events_of(unit);
        const auto work = [&](Transaction& tx) {
            tx.append(some_stream(), any, std::span{events}.first(2));
            tx.append(some_stream(), any, std::span{events}.last(1));
            tx.publish("notes", Note{unit.number}, {.key = std::to_string(unit.number % 3)});
            tx.mark_handled("marker", EventId::from_name("mark " + number));
            tx.sql().exec("CREATE TABLE IF NOT EXISTS sweep_row(unit INTEGER PRIMARY KEY)");
            tx.sql().exec("INSERT INTO sweep_row(unit) VALUES(?)", unit.number);
        };
        program_->store.transact(work);
        // Its last event; an inline model's hook may have appended nothing after it.
        return Position{};
    });
}

void World::deposit() {
    Unit& unit = next_unit(1);
    attempt(unit, [&] {
        const StreamName id{"account-" + std::to_string(unit.number % 2)};
        const auto delta = static_cast<std::int64_t>(unit.number);
        const auto change = [&](Account& account) {
            account.deposit(Did{unit.number, 0, 1, delta});
        };
        return program_->accounts.update_or_create(id, change).position;
    });
}

void World::start_trip() {
    Unit& unit = next_unit(0);
    unit.starts_trip = true;
    attempt(unit, [&] {
        const StreamName stream{"trip-" + std::to_string(unit.number)};
        return program_->store.append(stream, no_stream, {Started{unit.number}}).position;
    });
}

void World::project() {
    attempt("project", [this] { program_->models.run_once(); });
}

void World::relay() {
    attempt("relay", [this] { program_->relay.run_once(); });
}

void World::run_sagas() {
    attempt("sagas", [this] { program_->sagas.run_once(); });
}

void World::rebuild(std::string_view model) {
    attempt("rebuild", [&] {
        program_->models.run_once();
        program_->models.rebuild(model);
    });
}

void World::rebuild_saga_index() {
    attempt("rebuild of the saga index", [this] { SagaIndex{program_->store}.rebuild(); });
}

void World::mirror() {
    attempt("mirror", [this] {
        const EventStore target = EventStore::open(mirror_path(), {.busy_wait_max = 20ms});
        Mirror{program_->store, target, {.batch_max = 20}}.run_once();
    });
}

void World::purge() {
    // None is so old, but they are looked for.
    attempt("purge", [this] { purge_inbox(program_->store, parse_iso8601("2025-01-01")); });
}

void World::read() {
    attempt("read", [this] {
        History::Seen seen;
        for (const EventView event : program_->store.read_all()) seen.log.push_back(event.id());
        seen.at = setup_.now();
        history_.seen.push_back(std::move(seen));
    });
}

void World::migrate() {
    attempt("migrate", [this] {
        const EventStore copy = EventStore::open(copy_path(), {.busy_wait_max = 20ms});
        daybook::migrate(program_->store, copy, {.batch_max = 20});
    });
}

void World::step() {
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

void World::settle() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    const std::size_t failures_max = history_.failures.size() + 5;
    bool done = false;
    while (!done && std::chrono::steady_clock::now() < deadline) {
        if (history_.failures.size() > failures_max) return;
        std::size_t moved = 0;
        attempt("settle", [&] {
            moved = program_->sagas.run_once() + program_->relay.run_once() +
                    program_->models.run_once();
            done = moved == 0 && outbox_status(program_->store).unsent() == 0 &&
                   program_->models.wait_for(program_->store.head(), 0ms);
        });
        // Something waits for its next attempt, in part by the machine's clock.
        if (moved == 0 && !done) std::this_thread::sleep_for(200us);
    }
}

}  // namespace daybook::test
