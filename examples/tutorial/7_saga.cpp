// Step 7: a saga leads an order through three services, and back when one refuses.
//
//     7_saga [STORE]

#include <iostream>

#include "print.hpp"
#include "services.hpp"

using namespace shop;

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");

    daybook::LocalTransport transport{store};
    open_warehouse(transport);
    open_cashier(transport, store);
    open_order_desk(transport, store);
    daybook::SagaOrchestrator sagas{store, transport};
    sagas.add(fulfil_order());
    daybook::Relay relay{store, transport, {.name = "tutorial"}};

    daybook::Repository<Order> orders{store};
    orders.save(Order::place("order-1", {"Ada", 45'00}));
    orders.save(Order::place("order-2", {"Charles", 120'00}));

    // Until there is nothing to start, to deliver or to time out.
    std::size_t done = 0;
    do {
        done = sagas.run_once();
        done += relay.run_once();
    } while (done > 0);

    for (const auto* order : {"order-1", "order-2"}) {
        print(store.read(order));
        print(store.read(std::string("parcel-of-") + order));
    }
    for (const auto& saga : daybook::SagaIndex{store}.list()) {
        std::cout << saga.id.to_string() << ": " << to_string(saga.status) << '\n';
        if (!saga.error.empty()) std::cout << "  " << saga.error << '\n';
    }
}
