// Step 2: an aggregate decides which events may happen.
//
//     2_aggregate [STORE]

#include <iostream>

#include "order.hpp"
#include "print.hpp"

using namespace shop;

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");
    daybook::Repository<Order> orders{store};

    orders.save(Order::place("order-1", {"Ada", 45'00}));
    orders.update("order-1", [](Order& order) { order.pay(20'00); });

    try {
        orders.update("order-1", [](Order& order) { order.ship(); });
    } catch (const std::domain_error& refusal) {
        std::cout << "Refused: " << refusal.what() << '\n';
    }
    std::cout << "Still owed: " << orders.load("order-1").owed() << " cents\n";

    // Both decisions are one append: both events are stored, or neither.
    orders.update("order-1", [](Order& order) {
        order.pay(order.owed());
        order.ship();
    });
    print(store.read("order-1"));
}
