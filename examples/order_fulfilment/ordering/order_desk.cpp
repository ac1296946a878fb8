#include "ordering/order_desk.hpp"

#include "ordering/order_messages.hpp"

namespace shop {

void OrderDesk::place(const OrderRequest& request) {
    const Order order = Order::place(request);
    daybook::NewEvent placed = order.pending().front();
    placed.id = daybook::EventId::from_name("order.placed " + request.order);
    store_.append(order.id(), daybook::no_stream, {placed});
}

void OrderDesk::listen(daybook::LocalTransport& transport) {
    using daybook::Transaction;
    transport.consumer(topic)
        .on<FulfilOrder>([this](const FulfilOrder& command, Transaction& tx) {
            orders_.update(tx, Order::stream(command.order), [](Order& order) { order.fulfil(); });
        })
        .on<CancelOrder>([this](const CancelOrder& command, Transaction& tx) {
            orders_.update(tx, Order::stream(command.order),
                           [&](Order& order) { order.cancel(command.reason); });
        });
}

}  // namespace shop
