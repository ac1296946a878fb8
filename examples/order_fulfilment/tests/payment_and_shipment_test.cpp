#include <doctest/doctest.h>

#include "carrier/shipment.hpp"
#include "cashier/payment.hpp"

using namespace shop;

TEST_CASE("an order is charged once") {
    daybook::spec<Payment>()
        .given(PaymentTaken{"7", 1'500})
        .when([](Payment& payment) { payment.take("7", 1'500); })
        .then_nothing();
}

TEST_CASE("money goes back once and only if it was taken") {
    daybook::spec<Payment>()
        .given(PaymentTaken{"7", 1'500})
        .when([](Payment& payment) {
            payment.refund("7");
            payment.refund("7");
        })
        .then(PaymentRefunded{"7", 1'500});
    daybook::spec<Payment>()
        .given(PaymentDeclined{"7", 1'500})
        .when([](Payment& payment) { payment.refund("7"); })
        .then_nothing();
}

TEST_CASE("a shipment that was refused is not dispatched") {
    daybook::spec<Shipment>()
        .given(ShipmentRefused{"7", "no day"})
        .when([](Shipment& shipment) { shipment.dispatch("7"); })
        .then_nothing();
}
