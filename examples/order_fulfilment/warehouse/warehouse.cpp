#include "warehouse/warehouse.hpp"

#include <functional>

namespace shop {
namespace {

struct Shortage {
    std::string reason;  ///< empty: there is enough
    bool for_ever = false;
};

/// One that will last counts more than one that will pass.
Shortage find_shortage(const std::vector<StockItem>& items,
                       const std::vector<WantedUnits>& wanted) {
    Shortage shortage;
    for (std::size_t i = 0; i < items.size() && !shortage.for_ever; ++i) {
        if (items[i].available() >= wanted[i].quantity) continue;
        shortage.for_ever = items[i].discontinued();
        shortage.reason = (shortage.for_ever ? "discontinued" : "out of stock");
        shortage.reason += ": " + std::to_string(wanted[i].quantity) + " of product " +
                           wanted[i].sku + " wanted, " + std::to_string(items[i].available()) +
                           " available";
    }
    return shortage;
}

}  // namespace

void Warehouse::open(const std::vector<StockOpened>& products) {
    store_.transact([&](Transaction& tx) {
        for (const StockOpened& product : products) {
            const StockItem item = StockItem::open(product);
            daybook::NewEvent opened = item.pending().front();
            opened.id = daybook::EventId::from_name("stock.opened " + product.sku);
            tx.append(item.id(), daybook::no_stream, {opened});
        }
    });
}

void Warehouse::listen(daybook::LocalTransport& transport) {
    transport.consumer(topic)
        .on<ReserveOrder>(std::bind_front(&Warehouse::reserve, this))
        .on<ReleaseOrder>(std::bind_front(&Warehouse::release, this))
        .on<BookOutOrder>(std::bind_front(&Warehouse::book_out, this))
        .on<ShelveGoods>(std::bind_front(&Warehouse::shelve, this));
}

void Warehouse::reserve(const ReserveOrder& command, const Message& message, Transaction& tx) {
    std::vector<StockItem> items;
    for (const WantedUnits& wanted : command.wanted) {
        items.push_back(items_.load(tx, StockItem::stream(wanted.sku)));
    }
    const Shortage shortage = find_shortage(items, command.wanted);
    if (shortage.for_ever) {
        reply(tx, message, OrderUnavailable{shortage.reason});
        return;
    }
    const bool enough = shortage.reason.empty();
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::int64_t quantity = command.wanted[i].quantity;
        enough ? items[i].reserve(command.order, quantity) : items[i].note_shortage(quantity);
        items_.save(tx, items[i]);
    }
    enough ? reply(tx, message, OrderReserved{}) : reply(tx, message, OrderShort{shortage.reason});
}

void Warehouse::release(const ReleaseOrder& command, const Message& message, Transaction& tx) {
    for (const WantedUnits& wanted : command.wanted) {
        items_.update(tx, StockItem::stream(wanted.sku),
                      [&](StockItem& item) { item.release(command.order); });
    }
    reply(tx, message, OrderReleased{});
}

void Warehouse::book_out(const BookOutOrder& command, const Message& message, Transaction& tx) {
    for (const WantedUnits& wanted : command.wanted) {
        items_.update(tx, StockItem::stream(wanted.sku),
                      [&](StockItem& item) { item.ship(command.order); });
    }
    reply(tx, message, OrderBookedOut{});
}

void Warehouse::shelve(const ShelveGoods& command, const Message& message, Transaction& tx) {
    items_.update(tx, StockItem::stream(command.sku), [&](StockItem& item) {
        item.replenish(command.replenishment, command.quantity);
    });
    reply(tx, message, GoodsShelved{});
}

}  // namespace shop
