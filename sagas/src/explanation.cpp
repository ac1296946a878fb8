#include "daybook/sagas/saga_explanation.hpp"
#include "machine.hpp"
#include "saga_transaction.hpp"
#include "state_json.hpp"

namespace daybook {

namespace {

std::string attempt(const Exchange& exchange) {
    return exchange.attempts > 1 ? ", attempt " + std::to_string(exchange.attempts) : "";
}

std::string waits_for(const SagaState& state) {
    if (has_ended(state.status)) return "";
    if (state.status == SagaStatus::incident) return "an operator: " + state.error;
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
    if (!state.pending_compensation.empty())
        text += ", then goes back: " + state.pending_compensation;
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
    for (const SagaDeadLetter& letter : dead_letters)
        text += "dead letter " + letter.id.to_string() + ": " + letter.type + " to " +
                letter.topic + ", " + letter.reason + ": " + detail::plain_text(letter.error) +
                "\n";
    if (foreign_events > 0)
        text += "events in its journal that others wrote, passed over: " +
                std::to_string(foreign_events) + "\n";
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

void add_dead_letters(SagaExplanation& explanation, const std::vector<DeadLetter>& letters) {
    const SagaState& state = explanation.state;
    for (const DeadLetter& letter : letters) {
        const Message& message = letter.message;
        // The key does not identify the saga: messages of the program may have the same key.
        const auto headers = find_headers(message.headers);
        if (!headers || headers->id != state.id) continue;
        explanation.dead_letters.push_back({message.id, message.topic, message.type,
                                            std::string(to_string(letter.reason)), letter.error});
        const SagaStep* const step = state.current();
        if (step == nullptr || headers->step != step->name) continue;
        if (headers->generation != state.generation || explanation.waiting_for.empty()) continue;
        explanation.waiting_for +=
            "; " + message.type + " lies among the dead letters as " + message.id.to_string() +
            " (" + std::string(to_string(letter.reason)) + ": " + plain_text(letter.error) + ")";
    }
}

}  // namespace detail
}  // namespace daybook
