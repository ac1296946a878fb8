#include <algorithm>
#include <set>

#include "daybook/core/error.hpp"
#include "daybook/core/fingerprint.hpp"
#include "daybook/sagas/saga_definition.hpp"

namespace daybook {

namespace {

using detail::CommandBinding;
using detail::SagaDraft;
using detail::StepBinding;

constexpr std::size_t name_bytes_max = 80;

class DefinitionCheck {
public:
    explicit DefinitionCheck(const SagaDraft& draft) : draft_(draft) {}

    void check() const {
        // The name becomes part of stream names, topics and message keys, which use ':', '.' and
        // '/' as separators.
        if (draft_.name.size() > name_bytes_max || !EventType::is_valid(draft_.name, 1) ||
            draft_.name.find(':') != std::string::npos)
            refuse("its name must be 1 to 80 letters, digits, '.', '-' and '_'");
        if (draft_.version < 1) refuse("versions begin at 1");
        if (draft_.starts.empty()) refuse("nothing starts it: add starts_on<Event>()");
        if (draft_.steps.empty()) refuse("it has no step");
        if (draft_.steps.size() > SagaDefinition::steps_max) refuse("it has more than 100 steps");
        if (draft_.deadline && draft_.deadline->count() <= 0)
            refuse("its deadline is not positive");
        check_unique();
        bool only_forward = false;
        for (const StepBinding& step : draft_.steps) {
            check_step(step);
            const Reversibility kind = step.plan.reversibility;
            if (only_forward && (kind == Reversibility::undo || kind == Reversibility::pivot))
                refuse(step,
                       "comes after a pivot or a retriable step, from where the saga only "
                       "goes forward: it must be retriable or read-only");
            only_forward =
                only_forward || kind == Reversibility::pivot || kind == Reversibility::retriable;
        }
    }

private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw InvalidError("saga '" + draft_.name + "': " + why);
    }
    [[noreturn]] void refuse(const StepBinding& step, const std::string& why) const {
        refuse("step '" + step.plan.name + "' " + why);
    }

    void check_unique() const {
        std::set<std::string_view> seen;
        for (const auto& start : draft_.starts)
            if (!seen.insert(start.type.name).second)
                refuse("'" + std::string(start.type.name) + "' starts it twice");
        seen.clear();
        for (const StepBinding& step : draft_.steps)
            if (!seen.insert(step.plan.name).second) refuse(step, "is there twice");
        std::set<SagaStatus> ends;
        for (const auto& end : draft_.ends)
            if (!ends.insert(end.end).second)
                refuse("on_" + std::string(to_string(end.end)) + " is there twice");
    }

    void check_step(const StepBinding& step) const {
        if (step.plan.name.empty() || step.plan.name.size() > name_bytes_max)
            refuse(step, "needs a name of 1 to 80 bytes");
        if (!has_success(*step.forward)) refuse(step, "waits for no answer: add on<Reply>()");
        check_replies(step, *step.forward);
        check_budget(step, step.plan.timeout, step.plan.retry);
        if (!step.undo) return;
        check_replies(step, *step.undo);
        check_budget(step, step.plan.undo_timeout, step.plan.undo_retry);
        if (!step.undo->replies.empty() && !has_success(*step.undo))
            refuse(step,
                   "knows when its undo fails but not when it is done: add undone_on<Reply>()");
    }

    void check_replies(const StepBinding& step, const CommandBinding& command) const {
        std::set<std::string_view> seen;
        for (const auto& reply : command.replies)
            if (!seen.insert(reply.type.name).second)
                refuse(step, "has two uses for the answer '" + std::string(reply.type.name) + "'");
    }

    void check_budget(const StepBinding& step,
                      const std::optional<std::chrono::milliseconds>& timeout,
                      const Backoff& retry) const {
        if (timeout && timeout->count() <= 0) refuse(step, "has a timeout that is not positive");
        if (retry.attempts_max() < 1) refuse(step, "is never to be attempted");
    }

    static bool has_success(const CommandBinding& command) {
        return std::ranges::any_of(command.replies, [](const auto& reply) {
            return reply.answer == detail::Answer::success;
        });
    }

    const SagaDraft& draft_;
};

void describe(std::string& text, std::string_view role, const EventType& type) {
    text += std::string(role) + " " + std::string(type.name) + "\n";
}

void describe(std::string& text, std::string_view role, const CommandBinding& command) {
    static constexpr std::string_view answers[] = {"success", "failure", "busy"};
    describe(text, role, command.type);
    for (const auto& reply : command.replies)
        describe(text, answers[static_cast<int>(reply.answer)], reply.type);
}

// Covers what a running instance depends on. Timeouts, budgets and topics may change while
// instances run.
std::string hash_of(const SagaDraft& draft) {
    std::string text = draft.name + " " + std::to_string(draft.version) + "\n";
    for (const StepBinding& step : draft.steps) {
        text += "step " + step.plan.name + " " + std::string(to_string(step.plan.reversibility));
        text += "\n";
        describe(text, "send", *step.forward);
        if (step.undo) describe(text, "undo", *step.undo);
    }
    return fingerprint(text).substr(0, 16);
}

SagaPlan plan_of(const SagaDraft& draft) {
    SagaPlan plan{draft.name, draft.version, hash_of(draft), draft.deadline, {}};
    for (const StepBinding& step : draft.steps) {
        StepPlan& added = plan.steps.emplace_back(step.plan);
        if (!step.own_undo_timeout) added.undo_timeout = added.timeout;
        if (!step.own_undo_retry) added.undo_retry = added.retry;
        added.undo_answered = step.undo && !step.undo->replies.empty();
    }
    return plan;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string{"#quot;"} : std::string{c};
    return out + "\"";
}

}  // namespace

namespace detail {

std::string default_saga_key(const EventView& event) {
    const auto dash = event.stream().find('-');
    return std::string(dash == std::string_view::npos ? event.stream()
                                                      : event.stream().substr(dash + 1));
}

}  // namespace detail

struct SagaDefinition::Parts {
    SagaDraft draft;
    SagaPlan plan;
};

SagaDefinition::SagaDefinition(SagaDraft draft) {
    DefinitionCheck{draft}.check();
    SagaPlan plan = plan_of(draft);
    parts_ = std::make_shared<const Parts>(Parts{std::move(draft), std::move(plan)});
}

const SagaPlan& SagaDefinition::plan() const noexcept { return parts_->plan; }
const SagaDraft& SagaDefinition::bindings() const noexcept { return parts_->draft; }

std::string SagaDefinition::mermaid() const {
    const SagaDraft& draft = bindings();
    std::string text = "flowchart TD\n    start([";
    std::string starts;
    for (const auto& start : draft.starts)
        starts += (starts.empty() ? "" : ", ") + std::string(start.type.name);
    text += quoted(starts) + "])\n";
    std::string before = "start";
    std::string compensation = "back";
    bool only_forward = false;
    for (std::size_t i = 0; i < draft.steps.size(); ++i) {
        const StepBinding& step = draft.steps[i];
        const std::string node = "s" + std::to_string(i + 1);
        const Reversibility kind = step.plan.reversibility;
        only_forward = only_forward || kind == Reversibility::retriable;
        text += "    " + node + "[" +
                quoted(step.plan.name + ": " + std::string(step.forward->type.name) + " (" +
                       std::string(to_string(kind)) + ")") +
                "]\n    " + before + " --> " + node + "\n";
        if (!only_forward) text += "    " + node + " -. failure .-> " + compensation + "\n";
        if (step.undo) {
            const std::string undo = "u" + std::to_string(i + 1);
            text += "    " + undo + "[" + quoted("undo: " + std::string(step.undo->type.name)) +
                    "]\n    " + undo + " --> " + compensation + "\n";
            compensation = undo;
        }
        only_forward = only_forward || kind == Reversibility::pivot;
        before = node;
    }
    return text + "    " + before + " --> done([completed])\n    back([compensated])\n";
}

}  // namespace daybook
