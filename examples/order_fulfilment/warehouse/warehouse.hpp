#pragma once

#include <string_view>
#include <vector>

#include "warehouse/stock_item.hpp"
#include "warehouse/warehouse_messages.hpp"

namespace shop {

/// Looks after the stock. An order is reserved over all its products in one transaction: all of it
/// or nothing.
class Warehouse {
public:
    static constexpr std::string_view topic = "warehouse";

    explicit Warehouse(daybook::EventStore store)
        : store_(store), items_(std::move(store), {.snapshot_every = 50}) {}

    /// Stores the products that are not there yet; to say it again changes nothing.
    void open(const std::vector<StockOpened>& products);

    void listen(daybook::LocalTransport& transport);

private:
    using Message = daybook::Message;
    using Transaction = daybook::Transaction;

    void reserve(const ReserveOrder& command, const Message& message, Transaction& tx);
    void release(const ReleaseOrder& command, const Message& message, Transaction& tx);
    void book_out(const BookOutOrder& command, const Message& message, Transaction& tx);
    void shelve(const ShelveGoods& command, const Message& message, Transaction& tx);

    daybook::EventStore store_;
    daybook::Repository<StockItem> items_;
};

}  // namespace shop
