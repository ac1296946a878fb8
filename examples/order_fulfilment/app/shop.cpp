#include "app/shop.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "read_models/read_models.hpp"
#include "sagas/sagas.hpp"

namespace shop {

namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto look_again = 50ms;
/// The leases of one who has died at work have run out long before.
constexpr auto still_max = 60s;
/// A process that is at work commits something within this time.
constexpr auto sign_of_life = 5s;

}  // namespace

Shop::Shop(const daybook::EventStore& store, daybook::VirtualClock& clock, ShopOptions options)
    : store_(store),
      clock_(clock),
      transport_(store),
      order_desk_(store),
      warehouse_(store),
      cashier_(store, options.cashier),
      carrier_(store),
      orchestrator_(store, transport_),
      relay_(store, transport_, {.name = std::move(options.name), .seed = 1}),
      projections_(store) {
    order_desk_.listen(transport_);
    warehouse_.listen(transport_);
    cashier_.listen(transport_);
    carrier_.listen(transport_);
    supplier_.listen(transport_);
    add_sagas(orchestrator_);
    add_read_models(projections_);
    // An attempt that a crash cut short has left no event.
    const auto tried = daybook::outbox_status(store_).newest;
    if (const auto newest = std::max(newest_event(), tried)) clock_.set(*newest);
    work();
}

void Shop::open(const std::vector<StockOpened>& products) { warehouse_.open(products); }

void Shop::take(const IncomingOrder& order) {
    pass_time(order.at);
    clock_.set(std::max(clock_.now(), order.at));
    order_desk_.place(order.request);
    work();
}

Leftovers Shop::close() {
    // What another process has in hand may not be to be seen for a moment.
    for (bool more = true; more;) {
        pass_time(daybook::Timestamp::max());
        const std::uint64_t seen = store_.commits();
        more = work() > 0;
        if (more || !leftovers().any()) continue;
        store_.wait_for_commit(seen, sign_of_life);
        more = store_.commits() != seen;
    }
    return leftovers();
}

std::size_t Shop::work() {
    if (const auto newest = newest_event()) clock_.set(std::max(clock_.now(), *newest));
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
        const std::uint64_t seen = store_.commits();
        if (work() == 0 && overdue) wait_for_others(seen);
    }
}

std::optional<daybook::Timestamp> Shop::newest_event() const {
    for (const daybook::EventView newest :
         store_.read_all({.limit = 1, .direction = daybook::Direction::backward})) {
        return newest.recorded_at();
    }
    return std::nullopt;
}

// Another process has in hand what is due; or it has died, and its leases run out by and by.
void Shop::wait_for_others(std::uint64_t commits_seen) {
    const auto now = SteadyClock::now();
    const daybook::Position head = store_.head();
    if (head != still_at_) {
        still_at_ = head;
        still_since_ = now;
    } else if (now - still_since_ > still_max) {
        throw std::runtime_error("the shop stands still: " + relay_.last_error() +
                                 orchestrator_.last_error());
    }
    store_.wait_for_commit(commits_seen, look_again);
}

std::optional<daybook::Timestamp> Shop::next_due() const {
    const auto message = relay_.next_due();
    const auto timer = orchestrator_.next_due();
    if (!message || !timer) return message ? message : timer;
    return std::min(message, timer);
}

Leftovers Shop::leftovers() const {
    const daybook::OutboxStatus outbox = daybook::outbox_status(store_);
    return {.parked_messages = outbox.parked,
            .held_messages = outbox.unsent() - outbox.parked,
            .unfinished_sagas = daybook::SagaIndex{store_}.count({.unfinished = true})};
}

}  // namespace shop
