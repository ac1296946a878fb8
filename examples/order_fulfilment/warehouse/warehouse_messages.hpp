#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <daybook/daybook.hpp>

// What can be asked of the warehouse, and what it answers.

namespace shop {

struct WantedUnits {
    std::string sku;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &WantedUnits::sku, "quantity", &WantedUnits::quantity);
    }
};

/// Put everything that the order wants aside, or nothing of it. Answered by OrderReserved,
/// OrderShort or OrderUnavailable.
struct ReserveOrder {
    static constexpr daybook::EventType type{"reserve-order", 1};
    std::string order;
    std::vector<WantedUnits> wanted;

    static constexpr auto fields() {
        return daybook::fields("order", &ReserveOrder::order, "wanted", &ReserveOrder::wanted);
    }
};

struct OrderReserved {
    static constexpr daybook::EventType type{"order-reserved", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

/// Not enough is there now; ask again in a few days.
struct OrderShort {
    static constexpr daybook::EventType type{"order-short", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &OrderShort::reason); }
};

/// There will never be enough.
struct OrderUnavailable {
    static constexpr daybook::EventType type{"order-unavailable", 1};
    std::string reason;

    static constexpr auto fields() { return daybook::fields("reason", &OrderUnavailable::reason); }
};

/// Undo ReserveOrder. Answered by OrderReleased.
struct ReleaseOrder {
    static constexpr daybook::EventType type{"release-order", 1};
    std::string order;
    std::vector<WantedUnits> wanted;

    static constexpr auto fields() {
        return daybook::fields("order", &ReleaseOrder::order, "wanted", &ReleaseOrder::wanted);
    }
};

struct OrderReleased {
    static constexpr daybook::EventType type{"order-released", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

/// The carrier has taken the order along. Answered by OrderBookedOut.
struct BookOutOrder {
    static constexpr daybook::EventType type{"book-out-order", 1};
    std::string order;
    std::vector<WantedUnits> wanted;

    static constexpr auto fields() {
        return daybook::fields("order", &BookOutOrder::order, "wanted", &BookOutOrder::wanted);
    }
};

struct OrderBookedOut {
    static constexpr daybook::EventType type{"order-booked-out", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

/// A replenishment stands at the door. Answered by GoodsShelved.
struct ShelveGoods {
    static constexpr daybook::EventType type{"shelve-goods", 1};
    std::string sku;
    std::int64_t replenishment = 0;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &ShelveGoods::sku, "replenishment",
                               &ShelveGoods::replenishment, "quantity", &ShelveGoods::quantity);
    }
};

struct GoodsShelved {
    static constexpr daybook::EventType type{"goods-shelved", 1};
    static constexpr auto fields() { return daybook::fields(); }
};

}  // namespace shop
