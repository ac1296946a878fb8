#pragma once

#include <string>

#include "cashier/payment_events.hpp"

namespace shop {

/// What was taken for one order, at most once, and given back, at most once.
class Payment
    : public daybook::AggregateRoot<Payment, PaymentTaken, PaymentDeclined, PaymentRefunded> {
public:
    using AggregateRoot::AggregateRoot;
    static daybook::StreamName stream(const std::string& order) { return "payment-" + order; }

    bool taken() const noexcept { return taken_cents_ > 0; }

    void take(const std::string& order, std::int64_t cents) {
        if (!taken()) raise(PaymentTaken{order, cents});
    }
    void decline(const std::string& order, std::int64_t cents) {
        raise(PaymentDeclined{order, cents});
    }
    void refund(const std::string& order) {
        if (taken()) raise(PaymentRefunded{order, taken_cents_});
    }

private:
    friend AggregateRoot;
    void on(const PaymentTaken& event) { taken_cents_ = event.cents; }
    void on(const PaymentDeclined&) {}
    void on(const PaymentRefunded&) { taken_cents_ = 0; }

    std::int64_t taken_cents_ = 0;
};

}  // namespace shop
