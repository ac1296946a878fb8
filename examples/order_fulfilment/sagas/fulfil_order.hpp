#pragma once

#include <daybook/sagas/saga_definition.hpp>

namespace shop {

/// The way of an order through the house: reserve its stock, charge its customer, ship it, book it
/// out. If something refuses before it is shipped, what was done is undone, the newest first.
daybook::SagaDefinition fulfil_order();

}  // namespace shop
