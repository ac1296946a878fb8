#pragma once

#include <daybook/projections/projection_runner.hpp>

namespace shop {

/// Adds all read models of the shop.
void add_read_models(daybook::ProjectionRunner& runner);

}  // namespace shop
