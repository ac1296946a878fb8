#include "log_stores.hpp"

#include <algorithm>
#include <random>

#include "case.hpp"

namespace bench {

namespace {

constexpr std::size_t run_events = 5;
constexpr std::size_t runs_per_commit = 1000;

}  // namespace

LogStores::LogStores(const Scratch& where, bool quick)
    : streams(quick ? 100 : 1000),
      floor(where.file("log-floor.db")),
      store(daybook::EventStore::open(where.file("log-ours.db"))),
      cents(streams),
      scratch(where) {
    for (std::size_t i = 0; i < streams; ++i) names.emplace_back("account-" + std::to_string(i));
    for (const auto& name : names) keys.push_back(name.str().c_str());
    fill();
    check();
}

void LogStores::fill() {
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

    std::vector<std::int64_t> floor_versions(streams);
    std::vector<std::uint64_t> our_versions(streams);
    const std::span<const Run> all{runs};
    for (std::size_t at = 0; at < all.size(); at += runs_per_commit) {
        const auto part = all.subspan(at, std::min(runs_per_commit, all.size() - at));
        append_to_floor(part, floor_versions);
        append_to_ours(part, our_versions);
    }
}

void LogStores::append_to_floor(std::span<const Run> runs, std::vector<std::int64_t>& versions) {
    std::vector<floor_event> batch;
    for (const auto& run : runs) {
        for (std::size_t i = 0; i < run_events; ++i)
            batch.push_back(
                sample.raw_event(run.first_event + i, run.stream, ++versions[run.stream]));
    }
    floor.append(batch);
}

void LogStores::append_to_ours(std::span<const Run> runs, std::vector<std::uint64_t>& versions) {
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

void LogStores::check() {
    check_equal("events of the floor", floor.read_all().events,
                static_cast<std::int64_t>(events()));
    check_equal("head of the store", store.head().value(), events());
    for (const auto& name : names)
        check_equal("version of " + name.str(), store.version(name).value(), events_per_stream);
}

}  // namespace bench
