#include "log_stores.hpp"

#include <algorithm>
#include <random>

#include "case.hpp"

namespace bench {

namespace {

constexpr std::size_t run_events = 5;
constexpr std::size_t runs_per_commit = 1000;

}  // namespace

DaybookLog::DaybookLog(std::size_t stream_count, const std::string& uri)
    : streams(stream_count), store(daybook::EventStore::open(uri)), cents(streams) {
    for (std::size_t i = 0; i < streams; ++i) names.emplace_back("account-" + std::to_string(i));
    for (const auto& name : names) keys.push_back(name.str().c_str());
}

void DaybookLog::fill(const std::function<void(std::span<const floor_event>)>& append_to_floor) {
    std::vector<Run> runs;
    for (std::size_t i = 0; i < streams * events_per_stream / run_events; ++i)
        runs.push_back({i % streams, 0});
    std::mt19937_64 random{5};
    std::ranges::shuffle(runs, random);
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i].first_event = i * run_events;
    for (std::size_t i = 0; i < events(); ++i) {
        const auto amount = sample.event(i).cents;
        cents[runs[i / run_events].stream] += amount;
        cents_in_all += amount;
    }

    std::vector<std::uint64_t> versions(streams);
    const std::span<const Run> all{runs};
    for (std::size_t at = 0; at < all.size(); at += runs_per_commit) {
        const auto part = all.subspan(at, std::min(runs_per_commit, all.size() - at));
        append_to_floor(raw(part, versions));
        append(part, versions);
    }
    check();
}

std::vector<floor_event> DaybookLog::raw(std::span<const Run> runs,
                                         std::vector<std::uint64_t> versions) {
    std::vector<floor_event> batch;
    for (const auto& run : runs) {
        for (std::size_t i = 0; i < run_events; ++i) {
            const auto version = static_cast<std::int64_t>(++versions[run.stream]);
            batch.push_back(sample.raw_event(run.first_event + i, run.stream, version));
        }
    }
    return batch;
}

void DaybookLog::append(std::span<const Run> runs, std::vector<std::uint64_t>& versions) {
    store.transact([&](daybook::Transaction& tx) {
        std::vector<daybook::NewEvent> batch;
        for (const auto& run : runs) {
            batch.clear();
            for (std::size_t i = 0; i < run_events; ++i)
                batch.push_back(sample.new_event(run.first_event + i));
            auto& version = versions[run.stream];
            tx.append(names[run.stream], daybook::at_version(version), batch);
            version += run_events;
        }
    });
}

void DaybookLog::check() {
    check_equal("head of the store", store.head().value(), events());
    for (const auto& name : names)
        check_equal("version of " + name.str(), store.version(name).value(), events_per_stream);
}

LogStores::LogStores(const Scratch& where, bool quick)
    : DaybookLog(quick ? 100 : 1000, where.file("log-daybook.db")),
      floor(where.file("log-floor.db")),
      scratch(where) {
    fill([this](std::span<const floor_event> batch) { floor.append(batch); });
    check_equal("events of the floor", floor.read_all().events,
                static_cast<std::int64_t>(events()));
}

PostgresLogStores::PostgresLogStores(const PostgresServer& server, bool quick)
    : DaybookLog(quick ? 100 : 400, server.store_uri("log-daybook")),
      floor(server.uri(), server.schema("log-floor"), PostgresFloor::Schema::make) {
    fill([this](std::span<const floor_event> batch) { floor.append(batch); });
    check_equal("events of the floor", floor.read_all().events,
                static_cast<std::int64_t>(events()));
}

}  // namespace bench
