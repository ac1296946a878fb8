#pragma once

#include <string>

#include <daybook/daybook.hpp>

namespace shop {

/// The carrier will come for it.
struct ShipmentBooked {
    static constexpr daybook::EventType type{"shipment.booked", 1};
    std::string order;
    std::string shipper;
    daybook::Timestamp pickup_at{};

    static constexpr auto fields() {
        return daybook::fields("order", &ShipmentBooked::order, "shipper", &ShipmentBooked::shipper,
                               "pickup_at", &ShipmentBooked::pickup_at);
    }
};

struct ShipmentRefused {
    static constexpr daybook::EventType type{"shipment.refused", 1};
    std::string order;
    std::string reason;

    static constexpr auto fields() {
        return daybook::fields("order", &ShipmentRefused::order, "reason",
                               &ShipmentRefused::reason);
    }
};

/// The carrier has taken it along.
struct ShipmentDispatched {
    static constexpr daybook::EventType type{"shipment.dispatched", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &ShipmentDispatched::order); }
};

}  // namespace shop
