#pragma once

#include <string>
#include <vector>

#include "ordering/order.hpp"
#include "warehouse/stock_events.hpp"

namespace shop {

/// An order, and when it came in.
struct IncomingOrder {
    daybook::Timestamp at{};
    OrderRequest request;
};

/// Both read one JSON object per line. They throw NotFoundError if there is no such file, and
/// InvalidError naming the file and the line that cannot be read.
std::vector<StockOpened> read_products(const std::string& path);
/// Orders come in from nine o'clock, a millisecond apart: each has a time of day of its own, which
/// all that follows from it keeps. So no two orders ever act at the same instant.
std::vector<IncomingOrder> read_orders(const std::string& path);

/// Throws InvalidError for an order of a product that is not there.
void check_products(const std::vector<IncomingOrder>& orders,
                    const std::vector<StockOpened>& products);

}  // namespace shop
