#pragma once

#include <daybook/sagas/saga_definition.hpp>

namespace shop {

/// The replenishment policy: when a product has run low, buy more of it and put it on the shelf.
/// That there is at most one of them for a product is the care of StockItem, which asks for more
/// only once.
daybook::SagaDefinition replenish_stock();

}  // namespace shop
