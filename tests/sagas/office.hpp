#pragma once

#include <string>

#include "daybook/messaging/messaging.hpp"
#include "daybook/sagas/sagas.hpp"
#include "order_world.hpp"
#include "shop.hpp"

namespace daybook::test {

/// One process of a shop: participants, orchestrator and relay on their own threads, in real time.
class Office {
public:
    Office(EventStore opened, const std::string& name, const SagaDefinition& definition,
           const Responder& responder)
        : store(std::move(opened)),
          transport(store),
          orchestrator(store, transport),
          relay(store, transport, {.name = name}) {
        open_shop(transport, responder);
        orchestrator.add(definition);
    }
    void start() {
        orchestrator.start();
        relay.start();
    }
    void stop() {
        relay.stop();
        orchestrator.stop();
    }

    EventStore store;
    LocalTransport transport;
    SagaOrchestrator orchestrator;
    Relay relay;
};

/// Timeouts short enough for a test and long enough for a slow machine.
inline SagaDefinition patient_order_saga() {
    return order_saga({.timeout = std::chrono::minutes{5}, .attempts = 4, .undo_attempts = 8});
}

/// Every third order compensates, every seventh meets busy participants; deterministic per command,
/// so that all processes agree.
inline Response steady_response(const Message& command, const std::string& order) {
    const int number = std::stoi(order);
    const bool first = command.headers.find("\"command_number\":1}") != std::string::npos;
    if (number % 7 == 0 && first) return Response::busy;
    if (number % 3 == 0 && command.is<Charge>()) return Response::failure;
    return Response::success;
}

inline bool all_ended(const EventStore& store, std::size_t orders) {
    const SagaIndex index{store};
    return index.count() == orders && index.count({.unfinished = true}) == 0 &&
           outbox_status(store).unsent() == 0;
}

/// Checks each order after the end; returns the first violation as text.
std::string verify_orders(const EventStore& store, int orders);

}  // namespace daybook::test
