#pragma once

#include <stdexcept>
#include <utility>

#include "order_events.hpp"

namespace shop {

/// An order that guards its rules: it is paid in full before it is shipped, and it ends once.
class Order
    : public daybook::AggregateRoot<Order, OrderPlaced, OrderPaid, OrderShipped, OrderCancelled> {
public:
    using AggregateRoot::AggregateRoot;

    static Order place(daybook::StreamName stream, const OrderPlaced& wish) {
        if (wish.cents <= 0) throw std::domain_error{"an order costs something"};
        Order order{std::move(stream)};
        order.raise(wish);
        return order;
    }
    void pay(std::int64_t cents) {
        if (closed_) throw std::domain_error{"the order is closed"};
        if (cents > owed_) throw std::domain_error{"that is more than is owed"};
        raise(OrderPaid{cents});
    }
    void ship() {
        if (closed_) throw std::domain_error{"the order is closed"};
        if (owed_ > 0) throw std::domain_error{"the order is not paid"};
        raise(OrderShipped{});
    }
    void cancel(const std::string& reason) {
        if (closed_) throw std::domain_error{"the order is closed"};
        raise(OrderCancelled{reason});
    }

    std::int64_t owed() const { return owed_; }

private:
    friend AggregateRoot;
    void on(const OrderPlaced& event) { owed_ = event.cents; }
    void on(const OrderPaid& event) { owed_ -= event.cents; }
    void on(const OrderShipped&) { closed_ = true; }
    void on(const OrderCancelled&) { closed_ = true; }

    std::int64_t owed_ = 0;
    bool closed_ = false;
};

}  // namespace shop
