#include <algorithm>

#include "commands.hpp"
#include "daybook/messaging/outbox.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "daybook/sagas/saga_index.hpp"
#include "json_text.hpp"
#include "outbox_json.hpp"
#include "statements.hpp"

namespace daybook::command {

namespace {

Json projection_stats(const EventStore& store) {
    const auto all = ProjectionRunner{store}.status();
    std::uint64_t lag = 0;
    std::size_t halted = 0;
    std::uint64_t parked = 0;
    for (const ProjectionStatus& status : all) {
        lag = std::max(lag, status.lag);
        halted += status.state == ProjectionState::halted ? 1 : 0;
        parked += status.accounting.parked;
    }
    return {{"count", all.size()}, {"lag_max", lag}, {"halted", halted}, {"parked", parked}};
}

Json saga_stats(const EventStore& store) {
    const SagaIndex sagas{store};
    return {{"count", sagas.count()},
            {"unfinished", sagas.count({.unfinished = true})},
            {"incidents", sagas.count({.status = SagaStatus::incident})}};
}

ExitCode stats(Invocation& invocation) {
    const EventStore store = invocation.open_store();
    Json report{{"store", store.uri()},
                {"engine", store.engine_description()},
                {"events", store.head().value()}};
    store.query([&](Sql& sql) {
        report["streams"] = sql.integer(sql::count_streams).value_or(0);
        report["categories"] = sql.integer(sql::count_categories).value_or(0);
        report["event_types"] = sql.integer(sql::count_types).value_or(0);
    });
    report["projections"] = projection_stats(store);
    report["outbox"] = outbox_json(outbox_status(store));
    report["sagas"] = saga_stats(store);
    invocation.output().record(report);
    return ExitCode::ok;
}

}  // namespace

Subcommand stats_command() {
    return {.name = "stats", .help = "Say how much the store holds, and what waits", .run = stats};
}

}  // namespace daybook::command
