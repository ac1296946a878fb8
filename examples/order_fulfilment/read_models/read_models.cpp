#include "read_models/read_models.hpp"

#include "read_models/customer_orders.hpp"
#include "read_models/order_summary.hpp"
#include "read_models/revenue_by_month.hpp"
#include "read_models/stock_level.hpp"

namespace shop {

void add_read_models(daybook::ProjectionRunner& runner) {
    runner.add(StockLevel{}, daybook::Lifecycle::inline_);
    runner.add(OrderSummary{});
    runner.add(CustomerOrders{});
    runner.add(RevenueByMonth{});
}

}  // namespace shop
