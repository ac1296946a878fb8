#pragma once

#include <daybook/sagas/saga_orchestrator.hpp>

namespace shop {

/// Adds all sagas of the shop.
void add_sagas(daybook::SagaOrchestrator& orchestrator);

}  // namespace shop
