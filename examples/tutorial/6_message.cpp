// Step 6: a message leaves together with an event, and is handled once.
//
//     6_message [STORE]

#include <iostream>

#include "order.hpp"
#include "print.hpp"
#include "warehouse.hpp"

using namespace shop;

namespace {

void print_outbox(const daybook::EventStore& store) {
    std::cout << "Messages that wait: " << daybook::outbox_status(store).waiting << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");
    daybook::Repository<Order> orders{store};
    orders.save(Order::place("order-1", {"Ada", 45'00}));

    // The id says which message this is: whoever sends it twice means one parcel.
    const auto id = daybook::EventId::from_name("pack order-1");
    store.transact([&](daybook::Transaction& tx) {  // the event and the message, or neither
        orders.update(tx, "order-1", [](Order& order) { order.pay(order.owed()); });
        tx.publish("warehouse", PackParcel{"order-1"}, {.key = "order-1", .id = id});
    });
    print_outbox(store);

    daybook::LocalTransport transport{store};
    open_warehouse(transport);
    daybook::Relay relay{store, transport, {.name = "tutorial"}};
    relay.run_once();  // delivers what is due, on this thread
    print_outbox(store);
    print(store.read_all({.filter = {.categories = {"parcel"}}}));

    // A careful sender was not sure, and sends it again.
    store.transact([&](daybook::Transaction& tx) {
        tx.publish("warehouse", PackParcel{"order-1"}, {.key = "order-1", .id = id});
    });
    relay.run_once();
    const auto counts = transport.counts();
    std::cout << "Handled: " << counts.handled << ", dropped as repeats: " << counts.duplicates
              << '\n';
    std::cout << "Parcel events: " << store.version("parcel-of-order-1").value() << '\n';
}
