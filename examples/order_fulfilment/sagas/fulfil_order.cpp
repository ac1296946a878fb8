#include "sagas/fulfil_order.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "carrier/carrier.hpp"
#include "cashier/cashier.hpp"
#include "ordering/order_desk.hpp"
#include "ordering/order_messages.hpp"
#include "warehouse/warehouse.hpp"

namespace shop {
namespace {

/// What the saga remembers from step to step.
struct Fulfilment {
    std::string order;
    std::vector<WantedUnits> wanted;
    std::int64_t total_cents = 0;
    std::string shipper;
    std::optional<daybook::Timestamp> pickup_on;
    std::string reason;  ///< why it could not go on

    static constexpr auto fields() {
        return daybook::fields("order", &Fulfilment::order, "wanted", &Fulfilment::wanted,
                               "total_cents", &Fulfilment::total_cents, "shipper",
                               &Fulfilment::shipper, "pickup_on", &Fulfilment::pickup_on, "reason",
                               &Fulfilment::reason);
    }
};

Fulfilment begin(const OrderPlaced& placed) {
    Fulfilment data;
    data.order = placed.order;
    for (const OrderLine& line : placed.lines) data.wanted.push_back({line.sku, line.quantity});
    data.total_cents = placed.goods_cents + placed.freight_cents;
    data.shipper = placed.shipper;
    data.pickup_on = placed.pickup_on;
    return data;
}

constexpr auto note_reason = [](Fulfilment& data, const auto& refusal) {
    data.reason = refusal.reason;
};

CancelOrder cancel(const Fulfilment& data) { return {data.order, data.reason}; }

/// A replenishment takes five days. Whole days keep each order at a time of day of its own.
constexpr daybook::Backoff until_replenished = daybook::every(std::chrono::days{3}).attempts(4);

}  // namespace

daybook::SagaDefinition fulfil_order() {
    const std::string warehouse{Warehouse::topic};
    const std::string cashier{Cashier::topic};
    const std::string carrier{Carrier::topic};
    const std::string order_desk{OrderDesk::topic};
    using Data = Fulfilment;
    // clang-format off
    return daybook::saga<Data>("fulfil-order", 1)
        .starts_on<OrderPlaced>(begin)
        .step("reserve-stock")
            .send(warehouse, [](const Data& d) { return ReserveOrder{d.order, d.wanted}; })
            .on<OrderReserved>()
            .retries_on<OrderShort>(note_reason)
            .fails_on<OrderUnavailable>(note_reason)
            .retry(until_replenished)
            .undo([](const Data& d) { return ReleaseOrder{d.order, d.wanted}; })
                .undone_on<OrderReleased>()
        .step("charge")
            .send(cashier, [](const Data& d) { return ChargeCustomer{d.order, d.total_cents}; })
            .on<CustomerCharged>()
            .fails_on<ChargeDeclined>(note_reason)
            .undo([](const Data& d) { return RefundCustomer{d.order}; })
                .undone_on<CustomerRefunded>()
        .step("ship")
            .send(carrier, [](const Data& d) { return ShipOrder{d.order, d.shipper, d.pickup_on}; })
            .on<OrderDispatched>()
            .fails_on<ShippingRefused>(note_reason)
            .pivot()
        .step("book-out")
            .send(warehouse, [](const Data& d) { return BookOutOrder{d.order, d.wanted}; })
            .on<OrderBookedOut>()
            .retriable()
        .on_completed(order_desk, [](const Data& d) { return FulfilOrder{d.order}; })
        .on_compensated(order_desk, cancel)
        .on_failed(order_desk, cancel)
        .on_cancelled(order_desk, cancel)
        .build();
    // clang-format on
}

}  // namespace shop
