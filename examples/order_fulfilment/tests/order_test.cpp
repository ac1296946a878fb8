#include "ordering/order.hpp"

#include <doctest/doctest.h>

using namespace shop;

namespace {

OrderRequest request(std::vector<OrderLine> lines) {
    return {"7", {"ADA", "Ada's Deli", "Norway"}, std::move(lines), 500, "Gull Line", {}};
}

OrderPlaced placed() {
    OrderPlaced event;
    event.order = "7";
    event.customer.id = "ADA";
    event.goods_cents = 1'000;
    event.freight_cents = 500;
    return event;
}

}  // namespace

TEST_CASE("the discount of a line is rounded half up to a whole cent") {
    CHECK(OrderLine{"11", 105, 1, 10}.total_cents() == 94);  // 10.5 off becomes 11
    CHECK(OrderLine{"11", 104, 1, 10}.total_cents() == 94);  // 10.4 off becomes 10
    CHECK(OrderLine{"11", 999, 3, 0}.total_cents() == 2'997);
}

TEST_CASE("an order is worth the sum of its lines") {
    const Order order = Order::place(request({{"11", 1'000, 2, 0}, {"12", 250, 4, 50}}));
    REQUIRE(order.pending().size() == 1);
    CHECK(order.pending().front().data.find("\"goods_cents\":2500") != std::string::npos);
}

TEST_CASE("an order that nobody could fulfil is not taken") {
    CHECK_THROWS_AS(Order::place(request({})), std::domain_error);
    CHECK_THROWS_AS(Order::place(request({{"11", 100, 0, 0}})), std::domain_error);
    CHECK_THROWS_AS(Order::place(request({{"11", -1, 1, 0}})), std::domain_error);
    CHECK_THROWS_AS(Order::place(request({{"11", 100, 1, 101}})), std::domain_error);
    CHECK_THROWS_AS(Order::place(request({{"11", 100, 1, 0}, {"11", 100, 2, 0}})),
                    std::domain_error);
}

TEST_CASE("an order is fulfilled once") {
    daybook::spec<Order>()
        .given(placed())
        .when([](Order& order) { order.fulfil(); })
        .then(OrderFulfilled{"7", "ADA", 1'000, 500});
    daybook::spec<Order>()
        .given(placed(), OrderFulfilled{"7", "ADA", 1'000, 500})
        .when([](Order& order) { order.fulfil(); })
        .then_nothing();
}

TEST_CASE("an order does not end in two ways") {
    daybook::spec<Order>()
        .given(placed(), OrderCancelled{"7", "ADA", "payment declined"})
        .when([](Order& order) { order.fulfil(); })
        .then_throws<std::domain_error>("cancelled already");
    daybook::spec<Order>()
        .given(placed(), OrderFulfilled{"7", "ADA", 1'000, 500})
        .when([](Order& order) { order.cancel("too late"); })
        .then_throws<std::domain_error>("fulfilled already");
}
