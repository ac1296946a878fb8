#pragma once

#include <string>

#include "ordering/order_events.hpp"

namespace shop {

/// What a customer orders, before the shop has taken it.
struct OrderRequest {
    std::string order;
    Customer customer;
    std::vector<OrderLine> lines;
    std::int64_t freight_cents = 0;
    std::string shipper;
    std::optional<daybook::Timestamp> pickup_on;
};

/// An order ends once, fulfilled or cancelled. To say the same again changes nothing.
class Order : public daybook::AggregateRoot<Order, OrderPlaced, OrderFulfilled, OrderCancelled> {
public:
    using AggregateRoot::AggregateRoot;
    static daybook::StreamName stream(const std::string& order) { return "order-" + order; }

    /// Throws std::domain_error for an order that nobody could fulfil.
    static Order place(const OrderRequest& request);
    void fulfil();
    void cancel(const std::string& reason);

private:
    friend AggregateRoot;
    enum class Status { open, fulfilled, cancelled };

    void on(const OrderPlaced& event) { placed_ = event; }
    void on(const OrderFulfilled&) { status_ = Status::fulfilled; }
    void on(const OrderCancelled&) { status_ = Status::cancelled; }

    OrderPlaced placed_;
    Status status_ = Status::open;
};

}  // namespace shop
