#pragma once

#include "daybook/sagas/saga_builder.hpp"
#include "daybook/sagas/saga_definition.hpp"
#include "daybook/sagas/saga_explanation.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "daybook/sagas/saga_state.hpp"
