#pragma once

#include <optional>
#include <vector>

#include "app/input_files.hpp"
#include "carrier/carrier.hpp"
#include "cashier/cashier.hpp"
#include "ordering/order_desk.hpp"
#include "supplier/supplier.hpp"
#include "warehouse/warehouse.hpp"

namespace shop {

/// All parts of the shop in one process, and the time that passes in it. Nothing runs by itself:
/// one thread does what is to be done now until nothing is, then moves the clock to the next
/// instant at which something is due. So the same input makes the same history.
///
/// Its memory is the store alone. After a crash a new Shop goes on where the old one was: what was
/// committed is not done again, and what was not is done now, at the same instant of the story.
class Shop {
public:
    /// Moves `clock`, which must be the store's, to the newest event. Both must outlive the shop.
    Shop(const daybook::EventStore& store, daybook::VirtualClock& clock, CashierOptions cashier);

    void open(const std::vector<StockOpened>& products);
    /// Lets the time pass until the order comes in, takes it, and does what follows at once.
    void take(const IncomingOrder& order);
    /// Lets the time pass until nothing is left to be done.
    void close();

private:
    /// Does what is to be done now; returns how much that was.
    std::size_t work();
    void pass_time(daybook::Timestamp until);
    std::optional<daybook::Timestamp> next_due() const;

    daybook::VirtualClock& clock_;
    daybook::LocalTransport transport_;
    OrderDesk order_desk_;
    Warehouse warehouse_;
    Cashier cashier_;
    Carrier carrier_;
    Supplier supplier_;
    daybook::SagaOrchestrator orchestrator_;
    daybook::Relay relay_;
    daybook::ProjectionRunner projections_;
};

}  // namespace shop
