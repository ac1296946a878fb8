#pragma once

#include <memory>

#include "fulfil_order.hpp"

namespace shop {

/// Charges the customer, and records it on the order in the same transaction.
inline void open_cashier(daybook::LocalTransport& transport, const daybook::EventStore& store) {
    using daybook::Message;
    using daybook::Transaction;
    const auto orders = std::make_shared<daybook::Repository<Order>>(store);
    transport.consumer("cashier").on<ChargeCustomer>(
        [orders](const ChargeCustomer& wish, const Message& message, Transaction& tx) {
            if (wish.cents > 100'00) {
                daybook::reply(tx, message, ChargeDeclined{"over the limit of the card"});
                return;
            }
            orders->update(tx, wish.order, [&](Order& order) { order.pay(wish.cents); });
            daybook::reply(tx, message, OrderPaid{wish.cents});
        });
}

/// Closes orders.
inline void open_order_desk(daybook::LocalTransport& transport, const daybook::EventStore& store) {
    using daybook::Message;
    using daybook::Transaction;
    const auto orders = std::make_shared<daybook::Repository<Order>>(store);
    transport.consumer("orders")
        .on<ShipOrder>([orders](const ShipOrder& wish, const Message& message, Transaction& tx) {
            orders->update(tx, wish.order, [](Order& order) { order.ship(); });
            daybook::reply(tx, message, OrderShipped{});
        })
        .on<CancelOrder>([orders](const CancelOrder& wish, Transaction& tx) {
            orders->update(tx, wish.order, [&](Order& order) { order.cancel(wish.reason); });
        });
}

}  // namespace shop
