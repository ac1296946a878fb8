#include <string>

#include "commands.hpp"
#include "daybook/core/error.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "daybook/sagas/saga_orchestrator.hpp"
#include "json_text.hpp"

// Starts of sagas that could not even be stored as incidents.

namespace daybook::command {

namespace {

using Takes = Option::Takes;

Json start_json(const SagaFailedStart& start) {
    return {{"definition", start.definition},
            {"position", start.event.value()},
            {"error", start.error},
            {"failed_at", to_iso8601(start.failed_at)}};
}

ExitCode list(Invocation& invocation) {
    const std::uint64_t limit = invocation.has("--limit") ? count_of(invocation, "--limit") : 1'000;
    const SagaIndex sagas{invocation.open_store()};
    Listing listing{invocation.output(), {"definition", "position", "failed_at", "error"}};
    for (const SagaFailedStart& start : sagas.failed_starts(static_cast<std::size_t>(limit)))
        listing.add(start_json(start));
    return ExitCode::ok;
}

template <class Act>
Subcommand action(const Program& program, const char* name, const char* help, Act act) {
    return {.name = name,
            .help = help,
            .options = {{.name = "DEFINITION", .help = "Which sagas it starts", .required = true},
                        {.name = "POSITION",
                         .help = "Of the event that is to start one",
                         .takes = Takes::number,
                         .required = true},
                        {.name = "--reason", .help = "Why; it goes to the log", .required = true},
                        {.name = "--by", .help = "Who; without it $USER", .value = "NAME"}},
            .run = [&program, act, done = std::string(name)](Invocation& invocation) {
                SagaOrchestrator orchestrator{invocation.open_store()};
                if (program.sagas) program.sagas(orchestrator);
                const std::string definition = invocation.text("DEFINITION");
                const Position event{count_of(invocation, "POSITION")};
                act(orchestrator, definition, event,
                    {.actor = actor_of(invocation), .reason = reason_of(invocation)});
                invocation.committed("start of '" + definition + "' by event " +
                                     std::to_string(event.value()) + ": '" + done +
                                     "' is recorded");
                return ExitCode::ok;
            }};
}

}  // namespace

std::vector<Subcommand> saga_start_commands(const Program& program) {
    const auto retry = [](SagaOrchestrator& sagas, const std::string& definition, Position event,
                          const SagaOperator& by) { sagas.retry_start(definition, event, by); };
    const auto skip = [](SagaOrchestrator& sagas, const std::string& definition, Position event,
                         const SagaOperator& by) { sagas.skip_start(definition, event, by); };
    return {{.name = "failed-starts",
             .help = "List events that could start no saga",
             .options = {{.name = "--limit", .help = "How many at most", .takes = Takes::number}},
             .run = list},
            action(program, "retry-start", "Try again to start a saga from an event", retry),
            action(program, "skip-start", "Give up starting a saga from an event", skip)};
}

}  // namespace daybook::command
