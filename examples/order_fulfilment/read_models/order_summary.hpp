#pragma once

#include <string_view>

#include "carrier/shipment_events.hpp"
#include "cashier/payment_events.hpp"
#include "ordering/order_events.hpp"

namespace shop {

/// One row for each order: where it stands and what became of its money. Kept with SQL, behind the
/// log.
struct OrderSummary : daybook::Projection<OrderSummary, OrderPlaced, OrderFulfilled, OrderCancelled,
                                          PaymentTaken, PaymentRefunded, ShipmentDispatched> {
    static constexpr std::string_view name = "order_summary";
    static constexpr int version = 1;
    static constexpr std::string_view schema = R"(
        CREATE TABLE order_summary(
            order_id       TEXT NOT NULL PRIMARY KEY,
            customer       TEXT NOT NULL,
            placed_at      BIGINT NOT NULL,
            line_count     BIGINT NOT NULL,
            goods_cents    BIGINT NOT NULL,
            freight_cents  BIGINT NOT NULL,
            charged_cents  BIGINT NOT NULL DEFAULT 0,
            refunded_cents BIGINT NOT NULL DEFAULT 0,
            dispatched_at  BIGINT,
            status         TEXT NOT NULL DEFAULT 'open',
            reason         TEXT NOT NULL DEFAULT ''
        );
    )";
    static constexpr std::string_view indexes =
        "CREATE INDEX order_summary_by_status ON order_summary(status);";

    void on(const daybook::Recorded<OrderPlaced>& e, daybook::View& view) {
        view.exec(
            "INSERT INTO order_summary(order_id, customer, placed_at, line_count, goods_cents,"
            " freight_cents) VALUES(?, ?, ?, ?, ?, ?)",
            e->order, e->customer.name, e.recorded_at(), e->lines.size(), e->goods_cents,
            e->freight_cents);
    }
    void on(const daybook::Recorded<OrderFulfilled>& e, daybook::View& view) {
        view.exec("UPDATE order_summary SET status = 'fulfilled' WHERE order_id = ?", e->order);
    }
    void on(const daybook::Recorded<OrderCancelled>& e, daybook::View& view) {
        view.exec("UPDATE order_summary SET status = 'cancelled', reason = ? WHERE order_id = ?",
                  e->reason, e->order);
    }
    void on(const daybook::Recorded<PaymentTaken>& e, daybook::View& view) {
        view.exec("UPDATE order_summary SET charged_cents = charged_cents + ? WHERE order_id = ?",
                  e->cents, e->order);
    }
    void on(const daybook::Recorded<PaymentRefunded>& e, daybook::View& view) {
        view.exec("UPDATE order_summary SET refunded_cents = refunded_cents + ? WHERE order_id = ?",
                  e->cents, e->order);
    }
    void on(const daybook::Recorded<ShipmentDispatched>& e, daybook::View& view) {
        view.exec("UPDATE order_summary SET dispatched_at = ? WHERE order_id = ?", e.recorded_at(),
                  e->order);
    }
};

}  // namespace shop
