// Step 1: append events to streams, and read them back.
//
//     1_events [STORE]

#include <iostream>
#include <variant>

#include "order_events.hpp"
#include "print.hpp"

using namespace shop;

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");

    // A new stream: nobody may have written to it before.
    store.append("order-1", daybook::no_stream, {OrderPlaced{"Ada", 45'00}});
    store.append("order-2", daybook::no_stream, {OrderPlaced{"Charles", 120'00}});
    // The stream holds one event, and now a second one.
    store.append("order-1", daybook::at_version(1), {OrderPaid{45'00}});

    std::cout << "One stream:\n";
    print(store.read("order-1"));

    std::cout << "The whole log, only what was placed:\n";
    print(store.read_all({.filter = {.types = {"order.placed"}}}));

    std::cout << "As structs:\n";
    for (const daybook::EventView event : store.read_all()) {
        if (!event.is<OrderPlaced>()) continue;
        const auto placed = event.as<OrderPlaced>();
        std::cout << placed.customer << " owes " << placed.cents << " cents\n";
    }

    // Somebody else believes that order-1 has one event. It has two, so nothing is stored.
    const auto outcome =
        store.try_append("order-1", daybook::at_version(1), {OrderCancelled{"too late"}});
    if (const auto* conflict = std::get_if<daybook::Conflict>(&outcome)) {
        std::cout << "Refused: the stream has version " << conflict->actual.value() << '\n';
    }
}
