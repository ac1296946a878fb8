#include "app/event_text.hpp"

#include "app/text_table.hpp"
#include "carrier/shipment_events.hpp"
#include "cashier/payment_events.hpp"
#include "ordering/order_events.hpp"
#include "warehouse/stock_events.hpp"

namespace shop {
namespace {

std::string counted(std::int64_t count, const std::string& thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string units(std::int64_t quantity) { return counted(quantity, "unit"); }

std::string tell(const OrderPlaced& e) {
    return "placed: " + counted(static_cast<std::int64_t>(e.lines.size()), "line") + ", goods " +
           money(e.goods_cents) + ", freight " + money(e.freight_cents);
}
std::string tell(const OrderFulfilled&) { return "fulfilled"; }
std::string tell(const OrderCancelled& e) { return "cancelled, " + e.reason; }

std::string tell(const StockReserved& e) { return units(e.quantity) + " reserved"; }
std::string tell(const StockReleased& e) { return units(e.quantity) + " released"; }
std::string tell(const StockShipped& e) { return units(e.quantity) + " shipped"; }
std::string tell(const StockRanLow& e) { return "ran low, " + units(e.quantity) + " to be bought"; }
std::string tell(const StockReplenished& e) { return units(e.quantity) + " came in"; }

std::string tell(const PaymentTaken& e) { return money(e.cents) + " taken"; }
std::string tell(const PaymentDeclined& e) { return money(e.cents) + " declined"; }
std::string tell(const PaymentRefunded& e) { return money(e.cents) + " refunded"; }

std::string tell(const ShipmentBooked& e) {
    return "booked with " + e.shipper + " for " + daybook::to_iso8601(e.pickup_at).substr(0, 10);
}
std::string tell(const ShipmentRefused& e) { return "refused, " + e.reason; }
std::string tell(const ShipmentDispatched&) { return "dispatched"; }

template <class... Events>
std::string text_of_one(const daybook::EventView& event) {
    std::string text{event.type()};
    ((event.is<Events>() && (text = tell(event.as<Events>()), true)) || ...);
    return text;
}

}  // namespace

std::string text_of(const daybook::EventView& event) {
    return text_of_one<OrderPlaced, OrderFulfilled, OrderCancelled, StockReserved, StockReleased,
                       StockShipped, StockRanLow, StockReplenished, PaymentTaken, PaymentDeclined,
                       PaymentRefunded, ShipmentBooked, ShipmentRefused, ShipmentDispatched>(event);
}

}  // namespace shop
