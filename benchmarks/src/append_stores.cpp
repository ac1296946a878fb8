#include "append_stores.hpp"

#include "case.hpp"

namespace bench {

namespace {

std::vector<daybook::StreamName> account_names(std::size_t count) {
    std::vector<daybook::StreamName> names;
    for (std::size_t i = 0; i < count; ++i) names.emplace_back("account-" + std::to_string(i));
    return names;
}

}  // namespace

AppendStores::AppendStores(const Scratch& scratch, bool quick)
    : floor{FloorLog{scratch.file("append-floor.db")}},
      ours{daybook::EventStore::open(scratch.file("append-ours.db"))},
      names(account_names(streams)) {
    // An empty log flatters everybody: its index fits into one page.
    const std::size_t batches = quick ? 20 : 200;
    for (std::size_t i = 0; i < batches; ++i) {
        scatter_to_floor(1000);
        scatter_to_ours(1000);
    }
}

void AppendStores::append_to_floor(std::size_t per_call) {
    const auto stream = floor.random() % streams;
    floor_events_.clear();
    for (std::size_t i = 0; i < per_call; ++i) {
        const auto index = static_cast<std::size_t>(floor.events++);
        floor_events_.push_back(sample.raw_event(index, stream, ++floor.versions[stream]));
    }
    floor.log.append(floor_events_);
}

void AppendStores::append_to_ours(std::size_t per_call) {
    const auto stream = ours.random() % streams;
    our_events_.clear();
    for (std::size_t i = 0; i < per_call; ++i)
        our_events_.push_back(sample.new_event(static_cast<std::size_t>(ours.events++)));
    auto& version = ours.versions[stream];
    const auto done = ours.store.append(names[stream], daybook::at_version(version), our_events_);
    version += per_call;
    check_equal("version after an append", done.version.value(), version);
}

void AppendStores::scatter_to_floor(std::size_t per_call) {
    floor_events_.clear();
    for (std::size_t i = 0; i < per_call; ++i) {
        const auto stream = floor.random() % streams;
        const auto index = static_cast<std::size_t>(floor.events++);
        floor_events_.push_back(sample.raw_event(index, stream, ++floor.versions[stream]));
    }
    floor.log.append(floor_events_);
}

void AppendStores::scatter_to_ours(std::size_t per_call) {
    ours.store.transact([&](daybook::Transaction& tx) {
        for (std::size_t i = 0; i < per_call; ++i) {
            const auto stream = ours.random() % streams;
            const auto event = sample.new_event(static_cast<std::size_t>(ours.events++));
            auto& version = ours.versions[stream];
            tx.append(names[stream], daybook::at_version(version), {&event, 1});
            ++version;
        }
    });
}

void AppendStores::check() {
    const auto sum = floor.log.read_all();
    check_equal("events of the floor", sum.events, floor.events);
    check_equal("bytes of the floor", sum.bytes,
                floor.events * static_cast<std::int64_t>(Sample::payload_bytes));
    check_equal("head of the store", ours.store.head().value(), ours.events);

    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    for (const daybook::EventView event : ours.store.read_all()) {
        check_equal("position", event.position().value(), ++events);
        bytes += event.data().size();
    }
    check_equal("events of the store", events, ours.events);
    check_equal("bytes of the store", bytes, events * Sample::payload_bytes);
    for (std::size_t i = 0; i < streams; i += 97)
        check_equal("version of " + names[i].str(), ours.store.version(names[i]).value(),
                    ours.versions[i]);
}

}  // namespace bench
