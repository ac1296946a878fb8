#include "app/figures.hpp"

#include "read_models/read_models.hpp"

namespace shop {

using daybook::Sql;
using daybook::SqlRow;

Books::Books(const daybook::EventStore& store) : store_(store), models_(store) {
    daybook::ProjectionRunner runner{store_};
    add_read_models(runner);
    runner.run_once();
}

Figures Books::figures() const {
    Figures figures;
    models_.query("order_summary", [&](Sql& sql) {
        sql.each(
            "SELECT status, COUNT(*), SUM(goods_cents), SUM(freight_cents), SUM(charged_cents),"
            " SUM(refunded_cents) FROM order_summary GROUP BY status",
            [&](const SqlRow& row) {
                const std::int64_t orders = row.integer(1);
                figures.orders_total += orders;
                figures.charged_cents += row.integer(4);
                figures.refunded_cents += row.integer(5);
                if (row.text(0) == "cancelled") figures.orders_cancelled = orders;
                if (row.text(0) != "fulfilled") return;
                figures.orders_fulfilled = orders;
                figures.goods_cents = row.integer(2);
                figures.freight_cents = row.integer(3);
            });
    });
    models_.query("stock_level", [&](Sql& sql) {
        sql.each(
            "SELECT sku, name, opening, replenished, shipped, on_hand, reserved, on_order"
            " FROM stock_level ORDER BY LENGTH(sku), sku",
            [&](const SqlRow& row) {
                figures.products.push_back({std::string(row.text(0)), std::string(row.text(1)),
                                            row.integer(2), row.integer(3), row.integer(4),
                                            row.integer(5), row.integer(6), row.integer(7)});
            });
    });
    figures.unsent_messages = daybook::outbox_status(store_).unsent();
    figures.unfinished_sagas = daybook::SagaIndex{store_}.count({.unfinished = true});
    return figures;
}

std::vector<OrderFigures> Books::orders() const {
    std::vector<OrderFigures> orders;
    models_.query("order_summary", [&](Sql& sql) {
        sql.each(
            "SELECT order_id, placed_at, customer, goods_cents + freight_cents, status, reason"
            " FROM order_summary ORDER BY placed_at, order_id",
            [&](const SqlRow& row) {
                orders.push_back({std::string(row.text(0)), row.timestamp(1),
                                  std::string(row.text(2)), row.integer(3),
                                  std::string(row.text(4)), std::string(row.text(5))});
            });
    });
    return orders;
}

std::map<std::string, std::int64_t> Books::cancellations() const {
    std::map<std::string, std::int64_t> cancellations;
    models_.query("order_summary", [&](Sql& sql) {
        sql.each("SELECT reason FROM order_summary WHERE status = 'cancelled'",
                 [&](const SqlRow& row) {
                     const std::string_view reason = row.text(0);
                     ++cancellations[std::string(reason.substr(0, reason.find(':')))];
                 });
    });
    return cancellations;
}

std::vector<CustomerFigures> Books::best_customers(std::int64_t count) const {
    std::vector<CustomerFigures> customers;
    models_.query("customer_orders", [&](Sql& sql) {
        sql.each(
            "SELECT name, country, fulfilled, cancelled, spent_cents FROM customer_orders"
            " ORDER BY spent_cents DESC, name LIMIT ?",
            [&](const SqlRow& row) {
                customers.push_back({std::string(row.text(0)), std::string(row.text(1)),
                                     row.integer(2), row.integer(3), row.integer(4)});
            },
            count);
    });
    return customers;
}

std::vector<MonthFigures> Books::months() const {
    std::vector<MonthFigures> months;
    models_.query("revenue_by_month", [&](Sql& sql) {
        sql.each(
            "SELECT month, orders, goods_cents, freight_cents FROM revenue_by_month"
            " ORDER BY month",
            [&](const SqlRow& row) {
                months.push_back(
                    {std::string(row.text(0)), row.integer(1), row.integer(2), row.integer(3)});
            });
    });
    return months;
}

}  // namespace shop
