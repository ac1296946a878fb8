#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/input_files.hpp"
#include "carrier/carrier.hpp"
#include "cashier/cashier.hpp"
#include "ordering/order_desk.hpp"
#include "supplier/supplier.hpp"
#include "warehouse/warehouse.hpp"

namespace shop {

struct ShopOptions {
    /// Who this is, in leases. After a crash one of the same name need not wait for the lease of
    /// its former life; two that work at the same time need two names.
    std::string name = "order-fulfilment";
    CashierOptions cashier{};
};

/// What is left in a shop in which nothing more will happen by itself.
struct Leftovers {
    std::size_t parked_messages = 0;
    std::size_t held_messages = 0;  ///< behind parked ones
    std::size_t unfinished_sagas = 0;

    bool any() const noexcept { return parked_messages + held_messages + unfinished_sagas > 0; }
};

/// All parts of the shop in one process, and the time that passes in it. Nothing runs by itself:
/// one thread does what is to be done now until nothing is, then moves the clock to the next
/// instant at which something is due. So the same input makes the same history.
///
/// Its memory is the store alone. After a crash a new Shop goes on where the old one was: what was
/// committed is not done again, and what was not is done now, at the same instant of the story.
///
/// Several may work on one store at once, in one or many processes, each with all of the input:
/// each thing is done by one of them, and no clock stays behind the newest event.
class Shop {
public:
    /// Moves `clock`, which must be the store's, to where the last shop left it. It must outlive
    /// the shop.
    Shop(const daybook::EventStore& store, daybook::VirtualClock& clock, ShopOptions options);

    void open(const std::vector<StockOpened>& products);
    /// Lets the time pass until the order comes in, takes it, and does what follows at once.
    void take(const IncomingOrder& order);
    /// Lets the time pass until nothing is left to be done, here or in another process.
    Leftovers close();

private:
    /// Does what is to be done now; returns how much that was.
    std::size_t work();
    void pass_time(daybook::Timestamp until);
    std::optional<daybook::Timestamp> newest_event() const;
    void wait_for_others(std::uint64_t commits_seen);
    std::optional<daybook::Timestamp> next_due() const;
    Leftovers leftovers() const;

    daybook::EventStore store_;
    daybook::VirtualClock& clock_;
    /// The head of the log when it was waited for others, and since when it has been that.
    daybook::Position still_at_{};
    std::chrono::steady_clock::time_point still_since_ = std::chrono::steady_clock::now();
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
