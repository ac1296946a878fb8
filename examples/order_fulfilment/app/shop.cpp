#include "app/shop.hpp"

#include <algorithm>
#include <stdexcept>

#include "read_models/read_models.hpp"
#include "sagas/sagas.hpp"

namespace shop {

Shop::Shop(const daybook::EventStore& store, daybook::VirtualClock& clock, CashierOptions cashier)
    : clock_(clock),
      transport_(store),
      order_desk_(store),
      warehouse_(store),
      cashier_(store, cashier),
      carrier_(store),
      orchestrator_(store, transport_),
      // A name of its own: after a crash it need not wait for the lease of its former life.
      relay_(store, transport_, {.name = "order-fulfilment", .seed = 1}),
      projections_(store) {
    order_desk_.listen(transport_);
    warehouse_.listen(transport_);
    cashier_.listen(transport_);
    carrier_.listen(transport_);
    supplier_.listen(transport_);
    add_sagas(orchestrator_);
    add_read_models(projections_);
    for (const daybook::EventView newest :
         store.read_all({.limit = 1, .direction = daybook::Direction::backward})) {
        clock_.set(newest.recorded_at());
    }
    work();
}

void Shop::open(const std::vector<StockOpened>& products) { warehouse_.open(products); }

void Shop::take(const IncomingOrder& order) {
    pass_time(order.at);
    clock_.set(std::max(clock_.now(), order.at));
    order_desk_.place(order.request);
    work();
}

void Shop::close() { pass_time(daybook::Timestamp::max()); }

std::size_t Shop::work() {
    std::size_t all = 0;
    std::size_t done = 0;
    do {
        done = relay_.run_once();
        done += orchestrator_.run_once();
        all += done;
    } while (done > 0);
    projections_.run_once();
    return all;
}

void Shop::pass_time(daybook::Timestamp until) {
    for (auto due = next_due(); due && *due <= until; due = next_due()) {
        const bool overdue = *due <= clock_.now();
        clock_.set(std::max(clock_.now(), *due));
        if (work() == 0 && overdue) {
            throw std::runtime_error("the shop stands still: " + relay_.last_error() +
                                     orchestrator_.last_error());
        }
    }
}

std::optional<daybook::Timestamp> Shop::next_due() const {
    const auto message = relay_.next_due();
    const auto timer = orchestrator_.next_due();
    if (!message || !timer) return message ? message : timer;
    return std::min(message, timer);
}

}  // namespace shop
