#pragma once

#include <map>
#include <string>

#include "warehouse/stock_events.hpp"

namespace shop {

/// One product on the shelf. Units of it are on hand; some of those are reserved for orders, the
/// rest is available. When little is left it asks for more, once, until that has come.
class StockItem
    : public daybook::AggregateRoot<StockItem, StockOpened, StockReserved, StockReleased,
                                    StockShipped, StockRanLow, StockReplenished> {
public:
    /// The least that is bought at once.
    static constexpr std::int64_t replenishment_min = 60;

    using AggregateRoot::AggregateRoot;
    static daybook::StreamName stream(const std::string& sku) { return "stock-" + sku; }
    static StockItem open(const StockOpened& product);

    std::int64_t available() const noexcept { return on_hand_ - reserved_; }
    bool discontinued() const noexcept { return discontinued_; }

    /// Throws std::domain_error if fewer units are available.
    void reserve(const std::string& order, std::int64_t quantity);
    /// An order wanted more than there is.
    void note_shortage(std::int64_t wanted);
    /// What the order has reserved is available again; nothing if it has reserved nothing.
    void release(const std::string& order);
    /// What the order has reserved leaves the house; nothing if it has reserved nothing.
    void ship(const std::string& order);
    /// Takes in the replenishment that is awaited; nothing if another one is, or none.
    void replenish(std::int64_t replenishment, std::int64_t quantity);

    /// What a snapshot holds.
    static constexpr auto fields() {
        return daybook::fields("sku", &StockItem::sku_, "on_hand", &StockItem::on_hand_, "reserved",
                               &StockItem::reserved_, "reorder_level", &StockItem::reorder_level_,
                               "discontinued", &StockItem::discontinued_, "replenishments",
                               &StockItem::replenishments_, "awaits_replenishment",
                               &StockItem::awaits_replenishment_, "reserved_for",
                               &StockItem::reserved_for_);
    }

private:
    friend AggregateRoot;
    void on(const StockOpened& event);
    void on(const StockReserved& event);
    void on(const StockReleased& event);
    void on(const StockShipped& event);
    void on(const StockRanLow& event);
    void on(const StockReplenished& event);

    void ask_for_more(std::int64_t missing);

    std::string sku_;
    std::int64_t on_hand_ = 0;
    std::int64_t reserved_ = 0;
    std::int64_t reorder_level_ = 0;
    bool discontinued_ = false;
    std::int64_t replenishments_ = 0;
    bool awaits_replenishment_ = false;
    std::map<std::string, std::int64_t> reserved_for_;
};

}  // namespace shop
