#pragma once

#include <cstdint>
#include <string>

#include <daybook/daybook.hpp>

// What can happen to an order. Each event is a plain struct with a stable name and a version, and
// it says which of its members are stored.

namespace shop {

struct OrderPlaced {
    static constexpr daybook::EventType type{"order.placed", 1};
    std::string customer;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("customer", &OrderPlaced::customer, "cents", &OrderPlaced::cents);
    }
};

struct OrderPaid {
    static constexpr daybook::EventType type{"order.paid", 1};
    std::int64_t cents = 0;

    static constexpr auto fields() { return daybook::fields("cents", &OrderPaid::cents); }
};

struct OrderShipped {
    static constexpr daybook::EventType type{"order.shipped", 1};

    static constexpr auto fields() { return daybook::fields(); }
};

struct OrderCancelled {
    static constexpr daybook::EventType type{"order.cancelled", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &OrderCancelled::reason); }
};

}  // namespace shop
