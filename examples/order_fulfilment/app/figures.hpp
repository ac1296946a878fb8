#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "read_models/stock_level.hpp"

namespace shop {

/// What became of the orders, the money and the stock.
struct Figures {
    std::int64_t orders_total = 0;
    std::int64_t orders_fulfilled = 0;
    std::int64_t orders_cancelled = 0;
    std::int64_t goods_cents = 0;    ///< of the fulfilled orders
    std::int64_t freight_cents = 0;  ///< of the fulfilled orders
    std::int64_t charged_cents = 0;
    std::int64_t refunded_cents = 0;
    std::uint64_t unsent_messages = 0;
    std::uint64_t unfinished_sagas = 0;
    std::vector<StockLevelRow> products;
};

struct OrderFigures {
    std::string order;
    daybook::Timestamp placed_at{};
    std::string customer;
    std::int64_t total_cents = 0;
    std::string status;
    std::string reason;
};

struct CustomerFigures {
    std::string name;
    std::string country;
    std::int64_t fulfilled = 0;
    std::int64_t cancelled = 0;
    std::int64_t spent_cents = 0;
};

struct MonthFigures {
    std::string month;
    std::int64_t orders = 0;
    std::int64_t goods_cents = 0;
    std::int64_t freight_cents = 0;
};

/// Reads the shop's read models, after it has brought them up to date.
class Books {
public:
    explicit Books(const daybook::EventStore& store);

    Figures figures() const;
    /// In the order in which they came in.
    std::vector<OrderFigures> orders() const;
    /// How many orders were cancelled, by the first part of the reason.
    std::map<std::string, std::int64_t> cancellations() const;
    /// Those who have spent the most come first.
    std::vector<CustomerFigures> best_customers(std::int64_t count) const;
    std::vector<MonthFigures> months() const;

private:
    daybook::EventStore store_;
    daybook::ReadModels models_;
};

}  // namespace shop
