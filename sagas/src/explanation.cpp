#include "daybook/sagas/saga_explanation.hpp"
#include "machine.hpp"

namespace daybook {

namespace {

std::string attempt(const Exchange& exchange) {
    return exchange.attempts > 1 ? ", attempt " + std::to_string(exchange.attempts) : "";
}

std::string waits_for(const SagaState& state) {
    if (has_ended(state.status)) return "";
    if (state.status == SagaStatus::incident) return "an operator: " + state.trouble;
    const SagaStep* step = state.current();
    if (step == nullptr) return "";
    std::string text;
    switch (step->status) {
        case StepStatus::running:
            text = "the answer to " + step->name + attempt(step->forward);
            break;
        case StepStatus::backing_off: text = "the next attempt of " + step->name; break;
        case StepStatus::undoing:
            text = "the answer to the undo of " + step->name + attempt(step->undo);
            break;
        case StepStatus::undo_backing_off: text = "the next attempt to undo " + step->name; break;
        default: return "";
    }
    if (!state.closing.empty()) text += ", then goes back: " + state.closing;
    return text;
}

void append_step(std::string& text, std::size_t number, const SagaStep& step, bool current) {
    const auto padded = [](std::string_view word, std::size_t width) {
        std::string out(word);
        if (out.size() < width) out.append(width - out.size(), ' ');
        return out + " ";
    };
    text += current ? "> " : "  ";
    text += padded(std::to_string(number), 2) + padded(step.name, 20);
    text += padded(to_string(step.status), 16) + std::string(to_string(step.reversibility));
    if (!step.note.empty()) text += "  " + step.note;
    text += "\n";
}

}  // namespace

std::string SagaExplanation::text() const {
    std::string text = state.id.to_string() + " (version " + std::to_string(state.version);
    if (state.generation > 1) text += ", generation " + std::to_string(state.generation);
    text += "): " + std::string(to_string(state.status)) + "\n";
    if (!waiting_for.empty()) {
        text += "waits for " + waiting_for + "\n";
        if (since) text += "since " + to_iso8601(*since);
        text += until ? ", until " + to_iso8601(*until) : ", without limit";
        text += "\n";
    }
    if (!state.reason.empty()) text += "went back: " + state.reason + "\n";
    for (std::size_t i = 0; i < state.steps.size(); ++i)
        append_step(text, i + 1, state.steps[i], i == state.step);
    if (state.ignored > 0) text += "ignored inputs: " + std::to_string(state.ignored) + "\n";
    if (!legal_actions.empty()) {
        text += "an operator may:";
        for (const SagaAction action : legal_actions) text += " " + std::string(to_string(action));
        text += "\n";
    }
    return text;
}

namespace detail {

SagaExplanation explain(SagaState state, Version journal) {
    SagaExplanation explanation;
    explanation.journal_version = journal;
    explanation.waiting_for = waits_for(state);
    if (!has_ended(state.status)) explanation.since = state.waiting_since;
    if (state.timer) explanation.until = state.timer->due_at;
    if (state.deadline_at && (!explanation.until || *state.deadline_at < *explanation.until))
        explanation.until = state.deadline_at;
    explanation.legal_actions = legal_actions(state);
    explanation.state = std::move(state);
    return explanation;
}

}  // namespace detail
}  // namespace daybook
