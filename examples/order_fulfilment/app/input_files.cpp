#include "app/input_files.hpp"

#include <chrono>
#include <fstream>
#include <set>

namespace shop {
namespace {

using namespace std::chrono_literals;

/// A line of the products file, as far as we need it.
struct ProductRecord {
    std::string sku;
    std::string name;
    std::int64_t units_in_stock = 0;
    std::int64_t reorder_level = 0;
    bool discontinued = false;

    static constexpr auto fields() {
        return daybook::fields("sku", &ProductRecord::sku, "name", &ProductRecord::name,
                               "units_in_stock", &ProductRecord::units_in_stock, "reorder_level",
                               &ProductRecord::reorder_level, "discontinued",
                               &ProductRecord::discontinued);
    }
};

/// A line of the orders file, as far as we need it.
struct OrderRecord {
    std::string order_id;
    Customer customer;
    daybook::Timestamp ordered_on{};
    std::optional<daybook::Timestamp> shipped_on;
    std::string shipper;
    std::int64_t freight_cents = 0;
    std::vector<OrderLine> lines;

    static constexpr auto fields() {
        return daybook::fields("order_id", &OrderRecord::order_id, "customer",
                               &OrderRecord::customer, "ordered_on", &OrderRecord::ordered_on,
                               "shipped_on", &OrderRecord::shipped_on, "shipper",
                               &OrderRecord::shipper, "freight_cents", &OrderRecord::freight_cents,
                               "lines", &OrderRecord::lines);
    }
};

template <class Record>
std::vector<Record> read_records(const std::string& path) {
    std::ifstream file{path};
    if (!file) throw daybook::NotFoundError("there is no file " + path + " that can be read");
    std::vector<Record> records;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        if (line.empty()) continue;
        try {
            daybook::Codec<Record>::decode(line, records.emplace_back());
        } catch (const daybook::Error& error) {
            throw daybook::InvalidError(path + ", line " + std::to_string(number) + ": " +
                                        error.what());
        }
    }
    return records;
}

}  // namespace

std::vector<StockOpened> read_products(const std::string& path) {
    std::vector<StockOpened> products;
    for (const auto& record : read_records<ProductRecord>(path)) {
        products.push_back({record.sku, record.name, record.units_in_stock, record.reorder_level,
                            record.discontinued});
    }
    return products;
}

std::vector<IncomingOrder> read_orders(const std::string& path) {
    std::vector<IncomingOrder> orders;
    auto time_of_day = std::chrono::milliseconds{9h};
    for (auto& record : read_records<OrderRecord>(path)) {
        orders.push_back({record.ordered_on + time_of_day,
                          {record.order_id, record.customer, record.lines, record.freight_cents,
                           record.shipper, record.shipped_on}});
        time_of_day += 1ms;
    }
    return orders;
}

void check_products(const std::vector<IncomingOrder>& orders,
                    const std::vector<StockOpened>& products) {
    std::set<std::string> skus;
    for (const StockOpened& product : products) skus.insert(product.sku);
    for (const IncomingOrder& order : orders) {
        for (const OrderLine& line : order.request.lines) {
            if (skus.contains(line.sku)) continue;
            throw daybook::InvalidError("order " + order.request.order + " wants product " +
                                        line.sku + ", which is not in the file of products");
        }
    }
}

}  // namespace shop
