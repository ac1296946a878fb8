#include "sagas/sagas.hpp"

#include "sagas/fulfil_order.hpp"
#include "sagas/replenish_stock.hpp"

namespace shop {

void add_sagas(daybook::SagaOrchestrator& orchestrator) {
    orchestrator.add(fulfil_order());
    orchestrator.add(replenish_stock());
}

}  // namespace shop
