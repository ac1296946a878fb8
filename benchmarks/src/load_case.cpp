#include <random>

#include <daybook/eventstore/repository.hpp>

#include "account.hpp"
#include "cases.hpp"
#include "statistics.hpp"

namespace bench {

namespace {

using daybook::Repository;

constexpr auto per_stream = DaybookLog::events_per_stream;

/// Accounts of 1,000 bookings with a snapshot ten events back, in a store of their own.
class SnapshotStore {
public:
    static constexpr std::size_t accounts_count = 50;
    static constexpr std::size_t tail = 10;

    explicit SnapshotStore(const std::string& path) : store(daybook::EventStore::open(path)) {
        for (std::size_t i = 0; i < accounts_count; ++i)
            names.emplace_back("account-" + std::to_string(i));
        constexpr std::size_t run = 5;
        for (std::size_t from = 0; from < per_stream - tail; from += run) append_to_all(from, run);
        for (const auto& name : names) {
            auto account = saved.load(name);
            saved.snapshot(account);
        }
        append_to_all(per_stream - tail, tail);
    }

    daybook::EventStore store;
    Repository<Account> saved{store};
    Repository<PlainAccount> plain{store};
    const Sample sample{};
    std::vector<daybook::StreamName> names;
    std::int64_t cents = 0;  ///< of each

private:
    void append_to_all(std::size_t from, std::size_t count) {
        std::vector<daybook::NewEvent> events;
        for (std::size_t i = from; i < from + count; ++i) cents += sample.event(i).cents;
        for (const auto& name : names) {
            events.clear();
            for (std::size_t i = from; i < from + count; ++i) events.push_back(sample.new_event(i));
            store.append(name, daybook::at_version(from), events);
        }
    }
};

// Calls `load(stream)` for `loads` random streams.
template <class Load>
Measurement measure_loads(std::size_t loads, std::size_t streams, std::mt19937_64& random,
                          Load load) {
    const auto start = Stopwatch::now();
    for (std::size_t i = 0; i < loads; ++i) load(static_cast<std::size_t>(random() % streams));
    return {static_cast<double>(loads) / seconds_since(start)};
}

void read_views(const DaybookLog& logs, std::size_t stream) {
    std::uint64_t version = 0;
    std::size_t bytes = 0;
    for (const daybook::EventView event : logs.store.read(logs.names[stream])) {
        check_equal("version", event.version().value(), ++version);
        bytes += event.data().size();
    }
    check_equal("bytes of a stream", bytes, per_stream * Sample::payload_bytes);
}

template <class A>
void check_account(const A& account, std::int64_t cents) {
    check_equal("version of an aggregate", account.version().value(), per_stream);
    check_equal("balance of an aggregate", account.cents(), cents);
}

// The ways that load from the log; the SQLite and the PostgreSQL case share them.
template <class Logs>
std::vector<Way> log_ways(Bench& bench, const std::shared_ptr<Logs>& logs) {
    const auto plain = std::make_shared<Repository<PlainAccount>>(logs->store);
    const auto loads = bench.scaled(300);
    const auto way = [&](const std::string& name, std::function<void(std::size_t)> load) {
        const auto random = std::make_shared<std::mt19937_64>(3);
        return Way{name, "loads",
                   [=] { return measure_loads(loads, logs->streams, *random, load); }};
    };
    return {way("floor",
                [=](std::size_t stream) {
                    const auto sum = logs->floor.load(static_cast<std::int64_t>(stream));
                    check_equal("events of a stream", sum.events,
                                static_cast<std::int64_t>(per_stream));
                }),
            way("views", [=](std::size_t stream) { read_views(*logs, stream); }),
            way("folded", [=](std::size_t stream) {
                check_account(plain->load(logs->names[stream]), logs->cents[stream]);
            })};
}

}  // namespace

Case load_aggregate(Bench& bench) {
    Case out{.id = "S8", .durability = "", .rounds = bench.rounds()};
    out.ways = log_ways(bench, bench.log_stores());
    const auto store = std::make_shared<SnapshotStore>(bench.scratch.file("snapshots.db"));
    const auto way = [&](const std::string& name, std::size_t loads, const auto& repository) {
        const auto random = std::make_shared<std::mt19937_64>(3);
        return Way{name, "loads", [=, &repository] {
                       return measure_loads(
                           loads, store->names.size(), *random, [&](std::size_t i) {
                               check_account(repository.load(store->names[i]), store->cents);
                           });
                   }};
    };
    out.ways.push_back(way("no snapshot", bench.scaled(200), store->plain));
    out.ways.push_back(way("snapshot", bench.scaled(4000), store->saved));
    out.comparisons = {{"load an aggregate of 1,000, views", 1, 0, Measure::rate, Goal{0.90}},
                       {"… decoded and folded", 2, 0, Measure::rate, Goal{0.50}},
                       {"… snapshot 10 events back", 4, 3, Measure::rate, Goal{25}}};
    return out;
}

Case postgres_load_aggregate(Bench& bench) {
    Case out{.id = "P4", .durability = "", .rounds = bench.rounds()};
    out.ways = log_ways(bench, bench.postgres_log_stores());
    out.comparisons = {{"load an aggregate of 1,000, views", 1, 0},
                       {"… decoded and folded", 2, 0, Measure::rate, Goal{0.75}}};
    return out;
}

}  // namespace bench
