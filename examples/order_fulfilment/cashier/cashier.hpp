#pragma once

#include <cstdint>
#include <string_view>

#include "cashier/cashier_messages.hpp"
#include "cashier/payment.hpp"

namespace shop {

struct CashierOptions {
    std::uint64_t seed = 1;
    /// How many of a hundred payments are declined.
    std::int64_t failure_percent = 0;
};

/// Takes money and gives it back. Which payments are declined depends on the seed and the order
/// only, so that two runs agree.
class Cashier {
public:
    static constexpr std::string_view topic = "cashier";

    explicit Cashier(daybook::EventStore store, CashierOptions options = {})
        : payments_(std::move(store)), options_(options) {}

    void listen(daybook::LocalTransport& transport);

private:
    using Message = daybook::Message;
    using Transaction = daybook::Transaction;

    void charge(const ChargeCustomer& command, const Message& message, Transaction& tx);
    void refund(const RefundCustomer& command, const Message& message, Transaction& tx);
    bool declines(const std::string& order) const;

    daybook::Repository<Payment> payments_;
    CashierOptions options_;
};

}  // namespace shop
