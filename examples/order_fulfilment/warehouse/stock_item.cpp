#include "warehouse/stock_item.hpp"

#include <algorithm>
#include <stdexcept>

namespace shop {

StockItem StockItem::open(const StockOpened& product) {
    if (product.quantity < 0) {
        throw std::domain_error{"product " + product.sku + ": its stock is negative"};
    }
    StockItem item{stream(product.sku)};
    item.raise(product);
    return item;
}

void StockItem::reserve(const std::string& order, std::int64_t quantity) {
    if (reserved_for_.contains(order)) return;
    if (quantity > available()) {
        throw std::domain_error{"product " + sku_ + ": order " + order + " wants " +
                                std::to_string(quantity) + " of " + std::to_string(available())};
    }
    raise(StockReserved{order, quantity});
    if (available() <= reorder_level_) ask_for_more(0);
}

void StockItem::note_shortage(std::int64_t wanted) {
    if (wanted > available()) ask_for_more(wanted - available());
}

void StockItem::release(const std::string& order) {
    const auto found = reserved_for_.find(order);
    if (found != reserved_for_.end()) raise(StockReleased{order, found->second});
}

void StockItem::ship(const std::string& order) {
    const auto found = reserved_for_.find(order);
    if (found != reserved_for_.end()) raise(StockShipped{order, found->second});
}

void StockItem::replenish(std::int64_t replenishment, std::int64_t quantity) {
    if (!awaits_replenishment_ || replenishment != replenishments_) return;
    raise(StockReplenished{replenishment, quantity});
}

void StockItem::ask_for_more(std::int64_t missing) {
    if (discontinued_ || awaits_replenishment_) return;
    const std::int64_t quantity = std::max(replenishment_min, 2 * reorder_level_) + missing;
    raise(StockRanLow{sku_, replenishments_ + 1, quantity});
}

void StockItem::on(const StockOpened& event) {
    sku_ = event.sku;
    on_hand_ = event.quantity;
    reorder_level_ = event.reorder_level;
    discontinued_ = event.discontinued;
}

void StockItem::on(const StockReserved& event) {
    reserved_ += event.quantity;
    reserved_for_[event.order] = event.quantity;
}

void StockItem::on(const StockReleased& event) {
    reserved_ -= event.quantity;
    reserved_for_.erase(event.order);
}

void StockItem::on(const StockShipped& event) {
    on_hand_ -= event.quantity;
    reserved_ -= event.quantity;
    reserved_for_.erase(event.order);
}

void StockItem::on(const StockRanLow& event) {
    replenishments_ = event.replenishment;
    awaits_replenishment_ = true;
}

void StockItem::on(const StockReplenished& event) {
    on_hand_ += event.quantity;
    awaits_replenishment_ = false;
}

}  // namespace shop
