#pragma once

#include <string>

#include "order.hpp"
#include "warehouse.hpp"

namespace shop {

/// Asks the cashier for money. Answered by OrderPaid or ChargeDeclined.
struct ChargeCustomer {
    static constexpr daybook::EventType type{"charge-customer", 1};
    std::string order;
    std::string customer;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &ChargeCustomer::order, "customer",
                               &ChargeCustomer::customer, "cents", &ChargeCustomer::cents);
    }
};

struct ChargeDeclined {
    static constexpr daybook::EventType type{"charge-declined", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &ChargeDeclined::reason); }
};

/// Closes the order as shipped. Answered by OrderShipped.
struct ShipOrder {
    static constexpr daybook::EventType type{"ship-order", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &ShipOrder::order); }
};

/// Closes the order as cancelled.
struct CancelOrder {
    static constexpr daybook::EventType type{"cancel-order", 1};
    std::string order;
    std::string reason;

    static constexpr auto fields() {
        return daybook::fields("order", &CancelOrder::order, "reason", &CancelOrder::reason);
    }
};

/// What the saga remembers from step to step.
struct Fulfilment {
    std::string order;
    std::string customer;
    std::int64_t cents = 0;
    std::string reason;  ///< why it could not go on

    static constexpr auto fields() {
        return daybook::fields("order", &Fulfilment::order, "customer", &Fulfilment::customer,
                               "cents", &Fulfilment::cents, "reason", &Fulfilment::reason);
    }
};

/// The way of an order: pack the parcel, charge the customer, ship.
inline daybook::SagaDefinition fulfil_order() {
    using Data = Fulfilment;
    const auto begin = [](const OrderPlaced& placed, const daybook::EventView& event) {
        return Data{std::string(event.stream()), placed.customer, placed.cents, {}};
    };
    const auto charge = [](const Data& d) { return ChargeCustomer{d.order, d.customer, d.cents}; };
    const auto note = [](Data& d, const ChargeDeclined& refusal) { d.reason = refusal.reason; };
    const auto cancel = [](const Data& d) { return CancelOrder{d.order, d.reason}; };
    // clang-format off
    return daybook::saga<Data>("fulfil-order", 1)
        .starts_on<OrderPlaced>(begin)
        .step("pack")
            .send("warehouse", [](const Data& d) { return PackParcel{d.order}; })
            .on<ParcelPacked>()
            .undo([](const Data& d) { return UnpackParcel{d.order}; })
                .undone_on<ParcelUnpacked>()
        .step("charge")
            .send("cashier", charge)
            .on<OrderPaid>()
            .fails_on<ChargeDeclined>(note)
            .pivot()
        .step("ship")
            .send("orders", [](const Data& d) { return ShipOrder{d.order}; })
            .on<OrderShipped>()
            .retriable()
        .on_compensated("orders", cancel)
        .on_failed("orders", cancel)
        .build();
    // clang-format on
}

}  // namespace shop
