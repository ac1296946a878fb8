// Step 8: the whole shop, on SQLite or on PostgreSQL.
//
//     8_postgresql [STORE]         or DAYBOOK_STORE=STORE 8_postgresql

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "order_list_v2.hpp"
#include "services.hpp"

using namespace shop;

namespace {

/// The command line, the environment, or a file in this folder.
std::string store_uri(int argc, char** argv) {
    if (argc > 1) return argv[1];
    const char* const given = std::getenv("DAYBOOK_STORE");
    return given != nullptr ? given : "orders.db";
}

std::int64_t count(const daybook::ProjectionRunner& projections, std::string_view statement) {
    std::int64_t found = 0;
    projections.query("order_list",
                      [&](daybook::Sql& sql) { found = sql.integer(statement).value_or(0); });
    return found;
}

/// Waits until each order is shipped or cancelled, here or in another process.
void wait_until_closed(const daybook::EventStore& store,
                       const daybook::ProjectionRunner& projections) {
    for (;;) {
        const auto seen = store.commits();
        projections.wait_for(store.head());
        const auto open =
            count(projections, "SELECT count(*) FROM orders WHERE state IN ('placed', 'paid')");
        if (open == 0) return;
        store.wait_for_commit(seen, std::chrono::seconds{1});
    }
}

void run_shop(const daybook::EventStore& store) {
    daybook::LocalTransport transport{store};
    open_warehouse(transport);
    open_cashier(transport, store);
    open_order_desk(transport, store);
    daybook::SagaOrchestrator sagas{store, transport};
    sagas.add(fulfil_order());
    daybook::Relay relay{store, transport};
    daybook::ProjectionRunner projections{store};
    projections.add(OrderListV2{});
    projections.run_once();  // makes the table, and brings it up to date
    projections.start();
    sagas.start();
    relay.start();

    const auto before = count(projections, "SELECT count(*) FROM orders");
    daybook::Repository<Order> orders{store};
    const std::string first = "order-" + std::to_string(before + 1);
    const std::string second = "order-" + std::to_string(before + 2);
    orders.save(Order::place(first, {"Ada", 45'00}));
    orders.save(Order::place(second, {"Charles", 120'00}));

    wait_until_closed(store, projections);
    projections.query("order_list", [](daybook::Sql& sql) {
        sql.each("SELECT stream, customer, state, owed_cents FROM orders ORDER BY stream",
                 [](const daybook::SqlRow& row) {
                     std::cout << row.text(0) << "  " << row.text(1) << "  " << row.text(2)
                               << "  owes " << row.integer(3) << '\n';
                 });
    });
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run_shop(daybook::EventStore::open(store_uri(argc, argv)));
        return 0;
    } catch (const daybook::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
