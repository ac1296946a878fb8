#pragma once

#include <cstdint>
#include <string>

#include <daybook/daybook.hpp>

// What can be asked of the cashier, and what it answers.

namespace shop {

/// Answered by CustomerCharged or ChargeDeclined.
struct ChargeCustomer {
    static constexpr daybook::EventType type{"charge-customer", 1};
    std::string order;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &ChargeCustomer::order, "cents", &ChargeCustomer::cents);
    }
};

struct CustomerCharged {
    static constexpr daybook::EventType type{"customer-charged", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

struct ChargeDeclined {
    static constexpr daybook::EventType type{"charge-declined", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &ChargeDeclined::reason); }
};

/// Undo ChargeCustomer. Answered by CustomerRefunded.
struct RefundCustomer {
    static constexpr daybook::EventType type{"refund-customer", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &RefundCustomer::order); }
};

struct CustomerRefunded {
    static constexpr daybook::EventType type{"customer-refunded", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

}  // namespace shop
