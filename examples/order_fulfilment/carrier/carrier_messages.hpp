#pragma once

#include <optional>
#include <string>

#include <daybook/daybook.hpp>

// What can be asked of the carrier, and what it answers.

namespace shop {

/// Answered by OrderDispatched on the day of the pick-up, or at once by ShippingRefused.
struct ShipOrder {
    static constexpr daybook::EventType type{"ship-order", 1};
    std::string order;
    std::string shipper;
    std::optional<daybook::Timestamp> pickup_on;

    static constexpr auto fields() {
        return daybook::fields("order", &ShipOrder::order, "shipper", &ShipOrder::shipper,
                               "pickup_on", &ShipOrder::pickup_on);
    }
};

struct OrderDispatched {
    static constexpr daybook::EventType type{"order-dispatched", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

struct ShippingRefused {
    static constexpr daybook::EventType type{"shipping-refused", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &ShippingRefused::reason); }
};

/// The carrier's note to itself, which it reads on the day of the pick-up.
struct PickUpOrder {
    static constexpr daybook::EventType type{"pick-up-order", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &PickUpOrder::order); }
};

}  // namespace shop
