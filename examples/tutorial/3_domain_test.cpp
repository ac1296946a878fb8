// Step 3: test the rules of an aggregate, without a store.
//
//     3_domain_test

#include <iostream>
#include <string_view>

#include "order.hpp"

using namespace shop;

namespace {

void a_new_order_is_placed() {
    daybook::spec<Order>()
        .when([] { return Order::place("order-1", {"Ada", 45'00}); })
        .then(OrderPlaced{"Ada", 45'00});
}

void an_order_that_is_paid_can_be_shipped() {
    daybook::spec<Order>()
        .given(OrderPlaced{"Ada", 45'00}, OrderPaid{45'00})
        .when([](Order& order) { order.ship(); })
        .then(OrderShipped{});
}

void an_order_that_is_not_paid_stays_here() {
    daybook::spec<Order>()
        .given(OrderPlaced{"Ada", 45'00}, OrderPaid{20'00})
        .when([](Order& order) { order.ship(); })
        .then_throws<std::domain_error>("not paid");
}

void a_test_that_fails() {
    daybook::spec<Order>()
        .given(OrderPlaced{"Ada", 45'00})
        .when([](Order& order) { order.pay(20'00); })
        .then(OrderPaid{45'00});
}

/// What a test framework does: runs a case and says how it went.
bool run(std::string_view name, void (*test)()) {
    try {
        test();
        std::cout << "passed: " << name << '\n';
        return true;
    } catch (const daybook::SpecFailure& failure) {
        std::cout << "failed: " << name << '\n' << failure.what();
        return false;
    }
}

}  // namespace

int main() {
    const bool rules_hold =
        run("a new order is placed", a_new_order_is_placed) &&
        run("a paid order can be shipped", an_order_that_is_paid_can_be_shipped) &&
        run("an unpaid order stays here", an_order_that_is_not_paid_stays_here);
    const bool found = !run("a test that fails", a_test_that_fails);
    return rules_hold && found ? 0 : 1;
}
