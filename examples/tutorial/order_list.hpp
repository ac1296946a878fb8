#pragma once

#include <string_view>

#include "order_events.hpp"

namespace shop {

/// A table with one row for each order, to be queried with SQL.
struct OrderList
    : daybook::Projection<OrderList, OrderPlaced, OrderPaid, OrderShipped, OrderCancelled> {
    static constexpr std::string_view name = "order_list";
    static constexpr int version = 1;
    static constexpr std::string_view schema =
        "CREATE TABLE orders(stream TEXT PRIMARY KEY, customer TEXT NOT NULL, state TEXT NOT NULL)";

    void on(const daybook::Recorded<OrderPlaced>& e, daybook::View& view) {
        view.exec("INSERT INTO orders(stream, customer, state) VALUES(?, ?, 'placed')", e.stream(),
                  e->customer);
    }
    void on(const daybook::Recorded<OrderPaid>& e, daybook::View& view) {
        set_state(view, e.stream(), "paid");
    }
    void on(const daybook::Recorded<OrderShipped>& e, daybook::View& view) {
        set_state(view, e.stream(), "shipped");
    }
    void on(const daybook::Recorded<OrderCancelled>& e, daybook::View& view) {
        set_state(view, e.stream(), "cancelled");
    }

private:
    static void set_state(daybook::View& view, std::string_view stream, const char* state) {
        view.exec("UPDATE orders SET state = ? WHERE stream = ?", state, stream);
    }
};

}  // namespace shop
