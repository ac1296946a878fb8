#pragma once

#include <cstdint>
#include <string>

#include <daybook/daybook.hpp>

namespace shop {

struct PaymentTaken {
    static constexpr daybook::EventType type{"payment.taken", 1};
    std::string order;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &PaymentTaken::order, "cents", &PaymentTaken::cents);
    }
};

struct PaymentDeclined {
    static constexpr daybook::EventType type{"payment.declined", 1};
    std::string order;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &PaymentDeclined::order, "cents", &PaymentDeclined::cents);
    }
};

struct PaymentRefunded {
    static constexpr daybook::EventType type{"payment.refunded", 1};
    std::string order;
    std::int64_t cents = 0;

    static constexpr auto fields() {
        return daybook::fields("order", &PaymentRefunded::order, "cents", &PaymentRefunded::cents);
    }
};

}  // namespace shop
