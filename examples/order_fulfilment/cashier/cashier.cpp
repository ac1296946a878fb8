#include "cashier/cashier.hpp"

#include <functional>
#include <string>

namespace shop {

void Cashier::listen(daybook::LocalTransport& transport) {
    transport.consumer(topic)
        .on<ChargeCustomer>(std::bind_front(&Cashier::charge, this))
        .on<RefundCustomer>(std::bind_front(&Cashier::refund, this));
}

void Cashier::charge(const ChargeCustomer& command, const Message& message, Transaction& tx) {
    const bool declined = declines(command.order);
    payments_.update_or_create(tx, Payment::stream(command.order), [&](Payment& payment) {
        declined ? payment.decline(command.order, command.cents)
                 : payment.take(command.order, command.cents);
    });
    declined ? reply(tx, message, ChargeDeclined{"payment declined"})
             : reply(tx, message, CustomerCharged{});
}

void Cashier::refund(const RefundCustomer& command, const Message& message, Transaction& tx) {
    payments_.update_or_create(tx, Payment::stream(command.order),
                               [&](Payment& payment) { payment.refund(command.order); });
    reply(tx, message, CustomerRefunded{});
}

bool Cashier::declines(const std::string& order) const {
    const std::string drawn = daybook::fingerprint(std::to_string(options_.seed) + "/" + order);
    return std::stoul(drawn.substr(0, 8), nullptr, 16) % 100 <
           static_cast<unsigned long>(options_.failure_percent);
}

}  // namespace shop
