#pragma once

#include <string>
#include <string_view>

#include "ordering/order_events.hpp"

namespace shop {

/// One row for each month in which an order was fulfilled. Kept with SQL.
struct RevenueByMonth : daybook::Projection<RevenueByMonth, OrderFulfilled> {
    static constexpr std::string_view name = "revenue_by_month";
    static constexpr int version = 1;
    static constexpr std::string_view schema = R"(
        CREATE TABLE revenue_by_month(
            month         TEXT NOT NULL PRIMARY KEY,
            orders        BIGINT NOT NULL,
            goods_cents   BIGINT NOT NULL,
            freight_cents BIGINT NOT NULL
        );
    )";

    void on(const daybook::Recorded<OrderFulfilled>& e, daybook::View& view) {
        const std::string month = daybook::to_iso8601(e.recorded_at()).substr(0, 7);
        view.exec(
            "INSERT INTO revenue_by_month(month, orders, goods_cents, freight_cents)"
            " VALUES(?, 1, ?, ?)"
            " ON CONFLICT(month) DO UPDATE SET orders = revenue_by_month.orders + 1,"
            " goods_cents = revenue_by_month.goods_cents + excluded.goods_cents,"
            " freight_cents = revenue_by_month.freight_cents + excluded.freight_cents",
            month, e->goods_cents, e->freight_cents);
    }
};

}  // namespace shop
