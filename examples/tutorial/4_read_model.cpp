// Step 4: a projection turns the log into a table.
//
//     4_read_model [STORE]

#include <iostream>

#include "order.hpp"
#include "order_list.hpp"

using namespace shop;

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");
    daybook::Repository<Order> orders{store};

    // These events are there before the read model is.
    orders.save(Order::place("order-1", {"Ada", 45'00}));
    orders.save(Order::place("order-2", {"Charles", 120'00}));

    daybook::ProjectionRunner projections{store};
    projections.add(OrderList{});
    projections.start();  // from now on it follows the log, on a thread of its own

    const auto paid = orders.update("order-1", [](Order& order) { order.pay(order.owed()); });
    projections.wait_for(paid.position);  // until the table has seen this event

    projections.query("order_list", [](daybook::Sql& sql) {
        sql.each("SELECT stream, customer, state FROM orders ORDER BY stream",
                 [](const daybook::SqlRow& row) {
                     std::cout << row.text(0) << "  " << row.text(1) << "  " << row.text(2) << '\n';
                 });
    });

    const auto status = projections.status("order_list");
    std::cout << "The table has seen " << status.accounting.position.value() << " events, "
              << status.lag << " are left\n";
}
