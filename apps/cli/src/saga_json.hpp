#pragma once

#include "daybook/sagas/saga_explanation.hpp"
#include "json_text.hpp"

// The keys under which scripts see sagas.

namespace daybook::command {

Json summary_json(const SagaSummary& summary);
Json explanation_json(const SagaExplanation& explanation);
Json history_json(const SagaHistoryEntry& entry);

}  // namespace daybook::command
