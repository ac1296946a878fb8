#pragma once

#include <cstdint>
#include <string>

#include <daybook/daybook.hpp>

// What can be asked of the supplier, and what it answers.

namespace shop {

/// Answered by GoodsDelivered when the lorry is there.
struct BuyGoods {
    static constexpr daybook::EventType type{"buy-goods", 1};
    std::string sku;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &BuyGoods::sku, "quantity", &BuyGoods::quantity);
    }
};

struct GoodsDelivered {
    static constexpr daybook::EventType type{"goods-delivered", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

}  // namespace shop
