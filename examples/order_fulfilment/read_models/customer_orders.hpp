#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ordering/order_events.hpp"

namespace shop {

struct CustomerOrdersRow {
    std::string customer;
    std::string name;
    std::string country;
    std::int64_t placed = 0;
    std::int64_t fulfilled = 0;
    std::int64_t cancelled = 0;
    std::int64_t spent_cents = 0;

    static constexpr auto fields() {
        return daybook::fields(
            "customer", &CustomerOrdersRow::customer, "name", &CustomerOrdersRow::name, "country",
            &CustomerOrdersRow::country, "placed", &CustomerOrdersRow::placed, "fulfilled",
            &CustomerOrdersRow::fulfilled, "cancelled", &CustomerOrdersRow::cancelled,
            "spent_cents", &CustomerOrdersRow::spent_cents);
    }
};

/// One row for each customer. Folded by a key that is in the event: a customer's orders are spread
/// over many streams.
struct CustomerOrders : daybook::KeyedProjection<CustomerOrders, CustomerOrdersRow, OrderPlaced,
                                                 OrderFulfilled, OrderCancelled> {
    static constexpr std::string_view name = "customer_orders";
    static constexpr int version = 1;

    std::string key(const daybook::Recorded<OrderPlaced>& e) { return e->customer.id; }
    std::string key(const daybook::Recorded<OrderFulfilled>& e) { return e->customer; }
    std::string key(const daybook::Recorded<OrderCancelled>& e) { return e->customer; }

    void on(const daybook::Recorded<OrderPlaced>& e, CustomerOrdersRow& row) {
        row.name = e->customer.name;
        row.country = e->customer.country;
        ++row.placed;
    }
    void on(const daybook::Recorded<OrderFulfilled>& e, CustomerOrdersRow& row) {
        ++row.fulfilled;
        row.spent_cents += e->goods_cents + e->freight_cents;
    }
    void on(const daybook::Recorded<OrderCancelled>&, CustomerOrdersRow& row) { ++row.cancelled; }
};

}  // namespace shop
