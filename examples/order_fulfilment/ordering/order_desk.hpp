#pragma once

#include "ordering/order.hpp"

namespace shop {

/// Takes orders in, and closes them when it is told how they ended.
class OrderDesk {
public:
    static constexpr std::string_view topic = "order-desk";

    explicit OrderDesk(daybook::EventStore store) : store_(store), orders_(std::move(store)) {}

    /// Stores the order. To place the same order again changes nothing: its event has an id that
    /// is made of the order's number.
    void place(const OrderRequest& request);

    void listen(daybook::LocalTransport& transport);

private:
    daybook::EventStore store_;
    daybook::Repository<Order> orders_;
};

}  // namespace shop
