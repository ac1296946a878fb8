#include "supplier/supplier.hpp"

namespace shop {

void Supplier::listen(daybook::LocalTransport& transport) {
    using daybook::Message;
    using daybook::Transaction;
    transport.consumer(topic).on<BuyGoods>(
        [](const BuyGoods&, const Message& message, Transaction& tx) {
            const auto today = std::chrono::floor<std::chrono::days>(tx.now());
            // The answer is in the outbox at once, and arrives when it is due.
            tx.publish(message.reply_to, GoodsDelivered{},
                       {.key = message.key,
                        .due_at = today + lead_time + time_of_day,
                        .headers = message.headers});
        });
}

}  // namespace shop
