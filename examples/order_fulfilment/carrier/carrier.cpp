#include "carrier/carrier.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

namespace shop {
namespace {

/// On the day agreed, at the time of day of the booking; at once if that is past.
daybook::Timestamp pickup_time(daybook::Timestamp booked_at, daybook::Timestamp pickup_on) {
    const auto time_of_day = booked_at - std::chrono::floor<std::chrono::days>(booked_at);
    return std::max(booked_at, pickup_on + time_of_day);
}

}  // namespace

void Carrier::listen(daybook::LocalTransport& transport) {
    transport.consumer(topic)
        .on<ShipOrder>(std::bind_front(&Carrier::ship, this))
        .on<PickUpOrder>(std::bind_front(&Carrier::pick_up, this));
}

void Carrier::ship(const ShipOrder& command, const Message& message, Transaction& tx) {
    const auto stream = Shipment::stream(command.order);
    if (!command.pickup_on) {
        const std::string reason =
            "not shipped: " + command.shipper + " named no day for the pick-up";
        shipments_.update_or_create(
            tx, stream, [&](Shipment& shipment) { shipment.refuse(command.order, reason); });
        reply(tx, message, ShippingRefused{reason});
        return;
    }
    const auto pickup_at = pickup_time(tx.now(), *command.pickup_on);
    shipments_.update_or_create(tx, stream, [&](Shipment& shipment) {
        shipment.book({command.order, command.shipper, pickup_at});
    });
    // It carries the return address of the command, so that its handler can answer.
    tx.publish(topic, PickUpOrder{command.order},
               {.key = message.key,
                .due_at = pickup_at,
                .reply_to = message.reply_to,
                .headers = message.headers});
}

void Carrier::pick_up(const PickUpOrder& command, const Message& message, Transaction& tx) {
    shipments_.update(tx, Shipment::stream(command.order),
                      [&](Shipment& shipment) { shipment.dispatch(command.order); });
    reply(tx, message, OrderDispatched{});
}

}  // namespace shop
