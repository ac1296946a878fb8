#include <algorithm>
#include <thread>

#include <daybook/messaging/outbox.hpp>
#include <daybook/messaging/relay.hpp>

#include "cases.hpp"
#include "counting_transport.hpp"
#include "timed_calls.hpp"

namespace bench {

namespace {

constexpr std::size_t batch = 100;
constexpr std::size_t keys = 1000;

/// The floor's outbox and Daybook's, filled before each measurement.
struct Outboxes {
    Outboxes(const PostgresServer& server, std::size_t count)
        : messages(count),
          floor(server.uri(), server.schema("relay-floor"), PostgresFloor::Schema::make),
          store(daybook::EventStore::open(server.store_uri("relay-daybook"))) {}

    const std::size_t messages;
    const Sample sample{};
    PostgresFloor floor;
    daybook::EventStore store;

    void fill() {
        for (std::size_t at = 0; at < messages; at += 1000) {
            store.transact([&](daybook::Transaction& tx) {
                for (std::size_t i = at; i < std::min(at + 1000, messages); ++i)
                    tx.publish("bookings", sample.event(i),
                               {.key = "account-" + std::to_string(i % keys)});
            });
        }
    }
};

Measurement measure_floor(Outboxes& boxes) {
    const auto messages = static_cast<std::int64_t>(boxes.messages);
    boxes.floor.fill_outbox(boxes.sample.raw_event(0, 0, 0), messages);
    const auto start = Stopwatch::now();
    const auto relayed = boxes.floor.relay(batch);
    const double seconds = seconds_since(start);
    check_equal("messages of the floor", relayed, messages);
    return {static_cast<double>(relayed) / seconds};
}

// The time includes sharing the partitions out: idle relays hold none.
Measurement measure_daybook(Outboxes& boxes, std::size_t count) {
    CountingTransport transport;
    std::vector<std::unique_ptr<daybook::Relay>> relays;
    for (std::size_t i = 0; i < count; ++i)
        relays.push_back(std::make_unique<daybook::Relay>(
            boxes.store, transport,
            daybook::RelayOptions{.name = "bench-" + std::to_string(i), .batch_max = batch}));
    boxes.fill();
    const auto start = Stopwatch::now();
    std::vector<std::jthread> threads;
    for (const auto& relay : relays) {
        threads.emplace_back([&] {
            while (transport.delivered < boxes.messages) {
                if (relay->run_once() > 0) continue;
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        });
    }
    // `run_once` has recorded what it delivered before it returns.
    threads.clear();
    const double seconds = seconds_since(start);
    check_equal("messages delivered", transport.delivered.load(), boxes.messages);
    check_equal("messages left", daybook::outbox_status(boxes.store).unsent(), std::size_t{0});
    return {static_cast<double>(boxes.messages) / seconds};
}

}  // namespace

Case postgres_relay(Bench& bench) {
    const auto boxes = std::make_shared<Outboxes>(bench.postgres(), bench.scaled(10'000));
    Case out{.id = "P8", .durability = PostgresServer::durability, .rounds = bench.rounds()};
    out.ways = {{"floor", "messages", [=] { return measure_floor(*boxes); }},
                {"one relay", "messages", [=] { return measure_daybook(*boxes, 1); }},
                {"four relays", "messages", [=] { return measure_daybook(*boxes, 4); }}};
    out.comparisons = {{"outbox relay", 1, 0, Measure::rate, Goal{0.70}},
                       {"… four relays", 2, 1, Measure::rate, Goal{1.1}}};
    return out;
}

}  // namespace bench
