// Step 5: change a read model, and have it filled again from the log.
//
//     5_rebuild [STORE]

#include <iostream>

#include "order.hpp"
#include "order_list.hpp"
#include "order_list_v2.hpp"

using namespace shop;

namespace {

void print_status(const daybook::ProjectionRunner& projections) {
    const auto status = projections.status("order_list");
    std::cout << status.name << " version " << status.version << ", build " << status.build
              << ", position " << status.accounting.position.value() << '\n';
}

/// The program as it was in step 4.
void run_old_program(const daybook::EventStore& store) {
    daybook::ProjectionRunner projections{store};
    projections.add(OrderList{});
    projections.run_once();  // applies what is there, on this thread
    print_status(projections);
}

/// The program after the change. Nobody says that there is anything to rebuild.
void run_new_program(const daybook::EventStore& store) {
    daybook::ProjectionRunner projections{store};
    projections.add(OrderListV2{});
    projections.run_once();
    print_status(projections);
    projections.query("order_list", [](daybook::Sql& sql) {
        sql.each("SELECT stream, state, owed_cents FROM orders ORDER BY stream",
                 [](const daybook::SqlRow& row) {
                     std::cout << "  " << row.text(0) << "  " << row.text(1) << "  "
                               << row.integer(2) << '\n';
                 });
    });

    // The same by hand: for a bug in a handler that was mended, or a table that was damaged.
    const auto result = projections.rebuild("order_list");
    std::cout << "Rebuilt from " << result.scanned << " events\n";
    print_status(projections);
}

}  // namespace

int main(int argc, char** argv) {
    auto store = daybook::EventStore::open(argc > 1 ? argv[1] : "orders.db");
    daybook::Repository<Order> orders{store};
    orders.save(Order::place("order-1", {"Ada", 45'00}));
    orders.save(Order::place("order-2", {"Charles", 120'00}));
    orders.update("order-2", [](Order& order) { order.pay(50'00); });

    run_old_program(store);
    run_new_program(store);
}
