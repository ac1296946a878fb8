#pragma once

#include <cstdint>
#include <string>

#include <daybook/daybook.hpp>

namespace shop {

/// A product came into the range, with what lay on the shelf that day.
struct StockOpened {
    static constexpr daybook::EventType type{"stock.opened", 1};
    std::string sku;
    std::string name;
    std::int64_t quantity = 0;
    std::int64_t reorder_level = 0;
    bool discontinued = false;  ///< what is gone does not come back

    static constexpr auto fields() {
        return daybook::fields("sku", &StockOpened::sku, "name", &StockOpened::name, "quantity",
                               &StockOpened::quantity, "reorder_level", &StockOpened::reorder_level,
                               "discontinued", &StockOpened::discontinued);
    }
};

/// Units were put aside for an order.
struct StockReserved {
    static constexpr daybook::EventType type{"stock.reserved", 1};
    std::string order;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &StockReserved::order, "quantity",
                               &StockReserved::quantity);
    }
};

/// They may go to somebody else after all.
struct StockReleased {
    static constexpr daybook::EventType type{"stock.released", 1};
    std::string order;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &StockReleased::order, "quantity",
                               &StockReleased::quantity);
    }
};

/// They have left the house.
struct StockShipped {
    static constexpr daybook::EventType type{"stock.shipped", 1};
    std::string order;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &StockShipped::order, "quantity", &StockShipped::quantity);
    }
};

/// Little is left, or not enough for an order: this much is to be bought.
struct StockRanLow {
    static constexpr daybook::EventType type{"stock.ran-low", 1};
    std::string sku;
    std::int64_t replenishment = 0;  ///< counts those of the product, from 1
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &StockRanLow::sku, "replenishment",
                               &StockRanLow::replenishment, "quantity", &StockRanLow::quantity);
    }
};

/// A replenishment came in.
struct StockReplenished {
    static constexpr daybook::EventType type{"stock.replenished", 1};
    std::int64_t replenishment = 0;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("replenishment", &StockReplenished::replenishment, "quantity",
                               &StockReplenished::quantity);
    }
};

}  // namespace shop
