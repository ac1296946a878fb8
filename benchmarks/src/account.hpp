#pragma once

#include <daybook/eventstore/aggregate_root.hpp>

#include "sample.hpp"

namespace bench {

/// The aggregate of the loading case; its state cannot be encoded, so it has no snapshots.
class PlainAccount : public daybook::AggregateRoot<PlainAccount, Booked> {
public:
    using AggregateRoot::AggregateRoot;
    std::int64_t cents() const noexcept { return cents_; }

private:
    friend AggregateRoot;
    void on(const Booked& event) {
        cents_ += event.cents;
        ++bookings_;
    }

    std::int64_t cents_ = 0;
    std::int64_t bookings_ = 0;
};

/// The same with snapshots.
class Account : public daybook::AggregateRoot<Account, Booked> {
public:
    using AggregateRoot::AggregateRoot;
    std::int64_t cents() const noexcept { return cents_; }

    static constexpr auto fields() {
        return daybook::fields("cents", &Account::cents_, "bookings", &Account::bookings_);
    }

private:
    friend AggregateRoot;
    void on(const Booked& event) {
        cents_ += event.cents;
        ++bookings_;
    }

    std::int64_t cents_ = 0;
    std::int64_t bookings_ = 0;
};

}  // namespace bench
