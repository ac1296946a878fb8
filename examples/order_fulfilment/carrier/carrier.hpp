#pragma once

#include <string_view>

#include "carrier/carrier_messages.hpp"
#include "carrier/shipment.hpp"

namespace shop {

/// Books pick-ups and carries them out on their day. Refuses an order for which no day was agreed.
class Carrier {
public:
    static constexpr std::string_view topic = "carrier";

    explicit Carrier(daybook::EventStore store) : shipments_(std::move(store)) {}

    void listen(daybook::LocalTransport& transport);

private:
    using Message = daybook::Message;
    using Transaction = daybook::Transaction;

    void ship(const ShipOrder& command, const Message& message, Transaction& tx);
    void pick_up(const PickUpOrder& command, const Message& message, Transaction& tx);

    daybook::Repository<Shipment> shipments_;
};

}  // namespace shop
