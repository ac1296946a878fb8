#include <algorithm>
#include <string>
#include <utility>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "saga_json.hpp"

namespace daybook::command {

namespace {

using Takes = Option::Takes;

const Option saga_option{
    .name = "SAGA", .help = "Definition and key: fulfil-order/10248", .required = true};

SagaId saga_id(const Invocation& invocation) {
    const std::string text = invocation.text("SAGA");
    const auto slash = text.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
        throw InvalidError("saga '" + text + "': write definition and key as in " +
                           "fulfil-order/10248");
    }
    return {text.substr(0, slash), text.substr(slash + 1)};
}

ExitCode list(Invocation& invocation) {
    SagaFilter filter{.definition = invocation.text("--definition"),
                      .unfinished = invocation.has("--unfinished")};
    if (invocation.has("--status")) filter.status = parse_saga_status(invocation.text("--status"));
    std::uint64_t left = invocation.has("--limit") ? count_of(invocation, "--limit") : unlimited;
    const SagaIndex sagas{invocation.open_store()};
    Listing listing{invocation.output(),
                    {"saga", "status", "step", "waiting_since", "due_at", "error"}};
    while (left > 0) {
        filter.limit = static_cast<std::size_t>(std::min<std::uint64_t>(left, 1'000));
        const auto page = sagas.list(filter);
        for (const SagaSummary& summary : page) listing.add(summary_json(summary));
        if (page.size() < filter.limit) break;
        filter.after = page.back().id;
        left -= page.size();
    }
    return ExitCode::ok;
}

void print(Output& output, const SagaExplanation& explanation) {
    if (output.json()) {
        output.record(explanation_json(explanation));
    } else {
        std::string text = explanation.text();
        while (text.ends_with('\n')) text.pop_back();
        output.lines(text);
    }
}

ExitCode show(Invocation& invocation) {
    const SagaIndex sagas{invocation.open_store()};
    const SagaId id = saga_id(invocation);
    const SagaExplanation explanation = sagas.explain(id);
    const auto history = sagas.history(id);
    Output& output = invocation.output();
    if (output.json()) {
        Json json = explanation_json(explanation);
        json["history"] = Json::array();
        for (const auto& entry : history) json["history"].push_back(history_json(entry));
        output.record(json);
        return ExitCode::ok;
    }
    print(output, explanation);
    output.line("");
    Listing listing{output, {"version", "at", "type", "status", "text"}};
    for (const auto& entry : history) listing.add(history_json(entry));
    return ExitCode::ok;
}

ExitCode explain(Invocation& invocation) {
    const SagaIndex sagas{invocation.open_store()};
    print(invocation.output(), sagas.explain(saga_id(invocation)));
    return ExitCode::ok;
}

SagaOperator operator_of(const Invocation& invocation) {
    SagaOperator by{.actor = actor_of(invocation), .reason = reason_of(invocation)};
    if (invocation.has("--seen")) by.seen = Version{count_of(invocation, "--seen")};
    return by;
}

/// Something an operator does by hand, with the program's definitions.
template <class Act>
Subcommand action(const Program& program, const char* name, const char* help, Act act,
                  std::vector<Option> more = {}) {
    std::vector<Option> options{
        saga_option,
        {.name = "--reason", .help = "Why; it goes into the history", .required = true},
        {.name = "--by", .help = "Who; without it $USER", .value = "NAME"},
        {.name = "--seen",
         .help = "The journal version that was looked at: conflicts if it moved",
         .takes = Takes::number}};
    for (auto& option : more) options.push_back(std::move(option));
    return {
        .name = name,
        .help = help,
        .options = std::move(options),
        .run = [&program, act, action_name = std::string(name)](Invocation& invocation) {
            const SagaId id = saga_id(invocation);
            SagaOrchestrator orchestrator{invocation.open_store()};
            if (program.sagas) program.sagas(orchestrator);
            const SagaExplanation now = act(orchestrator, id, operator_of(invocation), invocation);
            invocation.committed("saga " + id.to_string() + ": '" + action_name + "' is recorded");
            print(invocation.output(), now);
            return ExitCode::ok;
        }};
}

SagaExplanation complete(SagaOrchestrator& orchestrator, const SagaId& id, const SagaOperator& by,
                         const Invocation& invocation) {
    if (!invocation.has("--reply")) return orchestrator.complete(id, by);
    return orchestrator.complete_json(id, by, invocation.text("--reply"));
}

std::vector<Option> list_options() {
    return {
        {.name = "--definition", .help = "Only this definition", .value = "D"},
        {.name = "--status", .help = "Only this status, such as incident", .value = "S"},
        {.name = "--unfinished", .help = "Only those that have not ended", .takes = Takes::nothing},
        {.name = "--limit", .help = "How many at most", .takes = Takes::number}};
}

}  // namespace

Group saga_group(const Program& program) {
    const auto retry = [](SagaOrchestrator& orchestrator, const SagaId& id, const SagaOperator& by,
                          const Invocation&) { return orchestrator.retry(id, by); };
    const auto skip = [](SagaOrchestrator& orchestrator, const SagaId& id, const SagaOperator& by,
                         const Invocation&) { return orchestrator.skip(id, by); };
    const auto cancel = [](SagaOrchestrator& orchestrator, const SagaId& id, const SagaOperator& by,
                           const Invocation&) { return orchestrator.cancel(id, by); };
    Group group{"sagas",
                "Workflows in the store: look at them, and help them on by hand",
                {{.name = "list", .help = "List sagas", .options = list_options(), .run = list},
                 {.name = "show",
                  .help = "Show one saga with its history",
                  .options = {saga_option},
                  .run = show},
                 {.name = "explain",
                  .help = "Say what a saga waits for, and what may be done",
                  .options = {saga_option},
                  .run = explain},
                 action(program, "retry", "Try the current step again", retry),
                 action(program, "skip", "Pass over the current step", skip),
                 action(program, "complete", "Say that the current step was done by hand", complete,
                        {{.name = "--reply", .help = "What was answered", .value = "JSON"}}),
                 action(program, "cancel", "Go back: undo what was done", cancel)}};
    for (auto& command : saga_start_commands(program)) group.commands.push_back(std::move(command));
    return group;
}

}  // namespace daybook::command
