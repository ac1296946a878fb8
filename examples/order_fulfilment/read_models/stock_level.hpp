#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "warehouse/stock_events.hpp"

namespace shop {

struct StockLevelRow {
    std::string sku;
    std::string name;
    std::int64_t opening = 0;
    std::int64_t replenished = 0;
    std::int64_t shipped = 0;
    std::int64_t on_hand = 0;
    std::int64_t reserved = 0;
    std::int64_t on_order = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &StockLevelRow::sku, "name", &StockLevelRow::name, "opening",
                               &StockLevelRow::opening, "replenished", &StockLevelRow::replenished,
                               "shipped", &StockLevelRow::shipped, "on_hand",
                               &StockLevelRow::on_hand, "reserved", &StockLevelRow::reserved,
                               "on_order", &StockLevelRow::on_order);
    }
};

/// One row for each product. Folded by key, and inline: it is never behind.
struct StockLevel
    : daybook::KeyedProjection<StockLevel, StockLevelRow, StockOpened, StockReserved, StockReleased,
                               StockShipped, StockRanLow, StockReplenished> {
    static constexpr std::string_view name = "stock_level";
    static constexpr int version = 1;

    /// `stock-11` is about product 11.
    template <class E>
    std::string_view key(const daybook::Recorded<E>& e) {
        return e.stream().substr(e.category().size() + 1);
    }

    void on(const daybook::Recorded<StockOpened>& e, StockLevelRow& row) {
        row.name = e->name;
        row.opening = e->quantity;
        row.on_hand = e->quantity;
    }
    void on(const daybook::Recorded<StockReserved>& e, StockLevelRow& row) {
        row.reserved += e->quantity;
    }
    void on(const daybook::Recorded<StockReleased>& e, StockLevelRow& row) {
        row.reserved -= e->quantity;
    }
    void on(const daybook::Recorded<StockShipped>& e, StockLevelRow& row) {
        row.shipped += e->quantity;
        row.on_hand -= e->quantity;
        row.reserved -= e->quantity;
    }
    void on(const daybook::Recorded<StockRanLow>& e, StockLevelRow& row) {
        row.on_order = e->quantity;
    }
    void on(const daybook::Recorded<StockReplenished>& e, StockLevelRow& row) {
        row.replenished += e->quantity;
        row.on_hand += e->quantity;
        row.on_order = 0;
    }
};

}  // namespace shop
