#pragma once

#include <string_view>

#include "order_events.hpp"

namespace shop {

/// The same table with one more column: what is still owed.
struct OrderListV2
    : daybook::Projection<OrderListV2, OrderPlaced, OrderPaid, OrderShipped, OrderCancelled> {
    static constexpr std::string_view name = "order_list";
    static constexpr int version = 2;
    static constexpr std::string_view schema =
        "CREATE TABLE orders(stream TEXT PRIMARY KEY, customer TEXT NOT NULL, state TEXT NOT NULL, "
        "owed_cents BIGINT NOT NULL)";

    void on(const daybook::Recorded<OrderPlaced>& e, daybook::View& view) {
        view.exec("INSERT INTO orders VALUES(?, ?, 'placed', ?)", e.stream(), e->customer,
                  e->cents);
    }
    void on(const daybook::Recorded<OrderPaid>& e, daybook::View& view) {
        view.exec("UPDATE orders SET state = 'paid', owed_cents = owed_cents - ? WHERE stream = ?",
                  e->cents, e.stream());
    }
    void on(const daybook::Recorded<OrderShipped>& e, daybook::View& view) {
        view.exec("UPDATE orders SET state = 'shipped' WHERE stream = ?", e.stream());
    }
    void on(const daybook::Recorded<OrderCancelled>& e, daybook::View& view) {
        view.exec("UPDATE orders SET state = 'cancelled', owed_cents = 0 WHERE stream = ?",
                  e.stream());
    }
};

}  // namespace shop
