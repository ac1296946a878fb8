#include "warehouse/stock_item.hpp"

#include <doctest/doctest.h>

using namespace shop;

namespace {

const StockOpened tea{"11", "Tea", 20, 5, false};
const StockOpened old_tea{"11", "Tea", 20, 5, true};

}  // namespace

TEST_CASE("reserved units are not given to a second order") {
    daybook::spec<StockItem>()
        .given(tea, StockReserved{"1", 15})
        .when([](StockItem& item) { item.reserve("2", 6); })
        .then_throws<std::domain_error>("wants 6 of 5");
}

TEST_CASE("an order reserves its units once") {
    daybook::spec<StockItem>()
        .given(tea, StockReserved{"1", 10})
        .when([](StockItem& item) { item.reserve("1", 10); })
        .then_nothing();
}

TEST_CASE("units go back once and only those that were reserved") {
    daybook::spec<StockItem>()
        .given(tea, StockReserved{"1", 10})
        .when([](StockItem& item) { item.release("1"); })
        .then(StockReleased{"1", 10});
    daybook::spec<StockItem>()
        .given(tea, StockReserved{"1", 10}, StockReleased{"1", 10})
        .when([](StockItem& item) {
            item.release("1");
            item.ship("1");
        })
        .then_nothing();
}

TEST_CASE("a product that runs low asks for more and only once") {
    daybook::spec<StockItem>()
        .given(tea)
        .when([](StockItem& item) { item.reserve("1", 15); })
        .then(StockReserved{"1", 15}, StockRanLow{"11", 1, 60});
    daybook::spec<StockItem>()
        .given(tea, StockReserved{"1", 15}, StockRanLow{"11", 1, 60})
        .when([](StockItem& item) { item.reserve("2", 5); })
        .then(StockReserved{"2", 5});
}

TEST_CASE("a shortage is bought on top") {
    daybook::spec<StockItem>()
        .given(tea)
        .when([](StockItem& item) { item.note_shortage(120); })
        .then(StockRanLow{"11", 1, 160});
}

TEST_CASE("a discontinued product is never bought again") {
    daybook::spec<StockItem>()
        .given(old_tea)
        .when([](StockItem& item) {
            item.note_shortage(120);
            item.reserve("1", 20);
        })
        .then(StockReserved{"1", 20});
}

TEST_CASE("a replenishment comes in once") {
    daybook::spec<StockItem>()
        .given(tea, StockRanLow{"11", 1, 60}, StockReplenished{1, 60})
        .when([](StockItem& item) { item.replenish(1, 60); })
        .then_nothing();
}
