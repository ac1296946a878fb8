#include "ordering/order.hpp"

#include <set>
#include <stdexcept>

namespace shop {

Order Order::place(const OrderRequest& request) {
    if (request.lines.empty()) throw std::domain_error{"order " + request.order + " has no lines"};
    std::int64_t goods_cents = 0;
    std::set<std::string> skus;
    for (const OrderLine& line : request.lines) {
        const std::string what = "order " + request.order + ", product " + line.sku;
        if (line.quantity <= 0) throw std::domain_error{what + ": the quantity is not positive"};
        if (line.unit_price_cents < 0) throw std::domain_error{what + ": the price is negative"};
        if (line.discount_percent < 0 || line.discount_percent > 100) {
            throw std::domain_error{what + ": the discount is not between 0 and 100 percent"};
        }
        if (!skus.insert(line.sku).second) throw std::domain_error{what + " stands in two lines"};
        goods_cents += line.total_cents();
    }
    Order order{stream(request.order)};
    order.raise(OrderPlaced{request.order, request.customer, request.lines, goods_cents,
                            request.freight_cents, request.shipper, request.pickup_on});
    return order;
}

void Order::fulfil() {
    if (status_ == Status::fulfilled) return;
    if (status_ == Status::cancelled) {
        throw std::domain_error{"order " + placed_.order + " is cancelled already"};
    }
    raise(OrderFulfilled{placed_.order, placed_.customer.id, placed_.goods_cents,
                         placed_.freight_cents});
}

void Order::cancel(const std::string& reason) {
    if (status_ == Status::cancelled) return;
    if (status_ == Status::fulfilled) {
        throw std::domain_error{"order " + placed_.order + " is fulfilled already"};
    }
    raise(OrderCancelled{placed_.order, placed_.customer.id, reason});
}

}  // namespace shop
