#include "sagas/replenish_stock.hpp"

#include <string>

#include "supplier/supplier.hpp"
#include "warehouse/warehouse.hpp"

namespace shop {
namespace {

/// What the saga remembers from step to step.
struct Replenishment {
    std::string sku;
    std::int64_t number = 0;
    std::int64_t quantity = 0;

    static constexpr auto fields() {
        return daybook::fields("sku", &Replenishment::sku, "number", &Replenishment::number,
                               "quantity", &Replenishment::quantity);
    }
};

Replenishment begin(const StockRanLow& low) { return {low.sku, low.replenishment, low.quantity}; }

/// `11.3` is the third replenishment of product 11.
std::string key(const StockRanLow& low) {
    return low.sku + "." + std::to_string(low.replenishment);
}

}  // namespace

daybook::SagaDefinition replenish_stock() {
    const std::string supplier{Supplier::topic};
    const std::string warehouse{Warehouse::topic};
    using Data = Replenishment;
    // clang-format off
    return daybook::saga<Data>("replenish-stock", 1)
        .starts_on<StockRanLow>(begin, key)
        .step("buy")
            .send(supplier, [](const Data& d) { return BuyGoods{d.sku, d.quantity}; })
            .on<GoodsDelivered>()
            .retriable()
        .step("shelve")
            .send(warehouse, [](const Data& d) { return ShelveGoods{d.sku, d.number, d.quantity}; })
            .on<GoodsShelved>()
            .retriable()
        .build();
    // clang-format on
}

}  // namespace shop
