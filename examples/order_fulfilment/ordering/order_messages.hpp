#pragma once

#include <string>

#include <daybook/daybook.hpp>

// What the order desk is told. It answers nobody.

namespace shop {

struct FulfilOrder {
    static constexpr daybook::EventType type{"fulfil-order", 1};
    std::string order;

    static constexpr auto fields() { return daybook::fields("order", &FulfilOrder::order); }
};

struct CancelOrder {
    static constexpr daybook::EventType type{"cancel-order", 1};
    std::string order;
    std::string reason;

    static constexpr auto fields() {
        return daybook::fields("order", &CancelOrder::order, "reason", &CancelOrder::reason);
    }
};

}  // namespace shop
