#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"
#include "daybook/schema/fields.hpp"

// The messages of the shop that the saga tests run.

namespace daybook::test {

template <std::size_t Size>
struct Literal {
    consteval Literal(const char (&text)[Size]) { std::copy_n(text, Size, chars); }
    char chars[Size]{};
};

/// A message or event of the shop: the order, and a text.
template <Literal Name>
struct ShopMessage {
    static constexpr EventType type{Name.chars, 1};
    std::string order{};
    std::string detail{};
    static constexpr auto fields() {
        return daybook::fields("order", &ShopMessage::order, "detail", &ShopMessage::detail);
    }
};

using OrderPlaced = ShopMessage<"order.placed">;
using OrderReopened = ShopMessage<"order.reopened">;

using ReserveStock = ShopMessage<"stock.reserve">;
using StockReserved = ShopMessage<"stock.reserved">;
using StockRefused = ShopMessage<"stock.refused">;
using StockBusy = ShopMessage<"stock.busy">;
using ReleaseStock = ShopMessage<"stock.release">;
using StockReleased = ShopMessage<"stock.released">;
using StockNotReleased = ShopMessage<"stock.not-released">;
using StockReleaseBusy = ShopMessage<"stock.release-busy">;

using HoldCredit = ShopMessage<"credit.hold">;
using CreditHeld = ShopMessage<"credit.held">;
using CreditRefused = ShopMessage<"credit.refused">;
using CreditBusy = ShopMessage<"credit.busy">;
using FreeCredit = ShopMessage<"credit.free">;
using CreditFreed = ShopMessage<"credit.freed">;
using CreditNotFreed = ShopMessage<"credit.not-freed">;
using CreditFreeBusy = ShopMessage<"credit.free-busy">;

using Charge = ShopMessage<"payment.charge">;
using Charged = ShopMessage<"payment.charged">;
using PaymentDeclined = ShopMessage<"payment.declined">;
using PaymentBusy = ShopMessage<"payment.busy">;

using Ship = ShopMessage<"shipment.ship">;
using Shipped = ShopMessage<"shipment.shipped">;
using ShipmentFailed = ShopMessage<"shipment.failed">;
using ShipmentBusy = ShopMessage<"shipment.busy">;

using OrderEnded = ShopMessage<"order.ended">;

/// An effect of a participant, in the participant's stream; it must happen once.
using Effect = ShopMessage<"effect.happened">;

/// The data of the saga.
struct OrderSaga {
    std::string order{};
    std::string hold{};
    std::string refusal{};
    static constexpr auto fields() {
        return daybook::fields("order", &OrderSaga::order, "hold", &OrderSaga::hold, "refusal",
                               &OrderSaga::refusal);
    }
};

}  // namespace daybook::test
