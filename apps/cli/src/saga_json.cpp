#include "saga_json.hpp"

namespace daybook::command {

namespace {

Json step_json(const SagaStep& step) {
    return {{"name", step.name},
            {"reversibility", to_string(step.reversibility)},
            {"status", to_string(step.status)},
            {"attempts", step.forward.attempts},
            {"undo_attempts", step.undo.attempts},
            {"started_at", time_or_null(step.started_at)},
            {"ended_at", time_or_null(step.ended_at)},
            {"note", text_or_null(step.note)}};
}

}  // namespace

Json summary_json(const SagaSummary& summary) {
    return {{"saga", summary.id.to_string()},
            {"definition", summary.id.definition},
            {"key", summary.id.key},
            {"generation", summary.generation},
            {"definition_version", summary.version},
            {"status", to_string(summary.status)},
            {"step", text_or_null(summary.step)},
            {"error", text_or_null(summary.error)},
            {"waiting_since", time_or_null(summary.waiting_since)},
            {"due_at", time_or_null(summary.due_at)},
            {"updated_at", to_iso8601(summary.updated_at)}};
}

Json explanation_json(const SagaExplanation& explanation) {
    const SagaState& state = explanation.state;
    Json json{{"saga", state.id.to_string()},
              {"definition", state.id.definition},
              {"key", state.id.key},
              {"generation", state.generation},
              {"definition_version", state.version},
              {"status", to_string(state.status)},
              {"reason", text_or_null(state.reason)},
              {"step", state.current() != nullptr ? Json(state.current()->name) : Json(nullptr)},
              {"waiting_for", text_or_null(explanation.waiting_for)},
              {"since", time_or_null(explanation.since)},
              {"until", time_or_null(explanation.until)},
              {"legal_actions", Json::array()},
              {"journal_version", explanation.journal_version.value()},
              {"started_at", to_iso8601(state.started_at)},
              {"updated_at", to_iso8601(state.updated_at)},
              {"deadline_at", time_or_null(state.deadline_at)},
              {"data", parsed(state.data)},
              {"steps", Json::array()}};
    for (const SagaAction action : explanation.legal_actions) {
        json["legal_actions"].push_back(to_string(action));
    }
    for (const SagaStep& step : state.steps) json["steps"].push_back(step_json(step));
    return json;
}

Json history_json(const SagaHistoryEntry& entry) {
    return {{"version", entry.version.value()},  {"at", to_iso8601(entry.at)},
            {"generation", entry.generation},    {"type", entry.type},
            {"status", to_string(entry.status)}, {"text", entry.text},
            {"input", parsed(entry.input)}};
}

}  // namespace daybook::command
