#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <daybook/daybook.hpp>

namespace shop {

struct Customer {
    std::string id;
    std::string name;
    std::string country;

    static constexpr auto fields() {
        return daybook::fields("id", &Customer::id, "name", &Customer::name, "country",
                               &Customer::country);
    }
};

struct OrderLine {
    std::string sku;
    std::int64_t unit_price_cents = 0;
    std::int64_t quantity = 0;
    std::int64_t discount_percent = 0;

    /// The discount is rounded half up to a whole cent.
    std::int64_t total_cents() const {
        const std::int64_t gross_cents = unit_price_cents * quantity;
        return gross_cents - (gross_cents * discount_percent + 50) / 100;
    }

    static constexpr auto fields() {
        return daybook::fields("sku", &OrderLine::sku, "unit_price_cents",
                               &OrderLine::unit_price_cents, "quantity", &OrderLine::quantity,
                               "discount_percent", &OrderLine::discount_percent);
    }
};

/// A customer has ordered. The totals are part of what was agreed.
struct OrderPlaced {
    static constexpr daybook::EventType type{"order.placed", 1};
    std::string order;
    Customer customer;
    std::vector<OrderLine> lines;
    std::int64_t goods_cents = 0;
    std::int64_t freight_cents = 0;
    std::string shipper;
    std::optional<daybook::Timestamp> pickup_on;  ///< agreed with the shipper; nothing: not agreed

    static constexpr auto fields() {
        return daybook::fields("order", &OrderPlaced::order, "customer", &OrderPlaced::customer,
                               "lines", &OrderPlaced::lines, "goods_cents",
                               &OrderPlaced::goods_cents, "freight_cents",
                               &OrderPlaced::freight_cents, "shipper", &OrderPlaced::shipper,
                               "pickup_on", &OrderPlaced::pickup_on);
    }
};

/// Paid, and on its way. Carries what readers of this event want to add up.
struct OrderFulfilled {
    static constexpr daybook::EventType type{"order.fulfilled", 1};
    std::string order;
    std::string customer;
    std::int64_t goods_cents = 0;
    std::int64_t freight_cents = 0;

    static constexpr auto fields() {
        return daybook::fields(
            "order", &OrderFulfilled::order, "customer", &OrderFulfilled::customer, "goods_cents",
            &OrderFulfilled::goods_cents, "freight_cents", &OrderFulfilled::freight_cents);
    }
};

struct OrderCancelled {
    static constexpr daybook::EventType type{"order.cancelled", 1};
    std::string order;
    std::string customer;
    std::string reason;

    static constexpr auto fields() {
        return daybook::fields("order", &OrderCancelled::order, "customer",
                               &OrderCancelled::customer, "reason", &OrderCancelled::reason);
    }
};

}  // namespace shop
