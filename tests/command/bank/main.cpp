#include <daybook/command/command.hpp>
#include <daybook/messaging/messaging.hpp>
#include <nlohmann/json.hpp>

#include "bank.hpp"

// A program with the commands of `daybook` and its own aggregates, projections and sagas.

namespace {

using daybook::command::ExitCode;
using daybook::command::IfMissing;
using daybook::command::Invocation;
using daybook::command::Option;
using daybook::command::Subcommand;
using Takes = Option::Takes;

ExitCode pay_in(Invocation& invocation) {
    auto store = invocation.open_store(IfMissing::create);
    const std::string account = invocation.text("ACCOUNT");
    const std::int64_t cents = invocation.number("--cents");
    if (cents > 1'000'000) throw std::domain_error{"nobody pays in so much"};
    const auto result = store.append(account, daybook::any_version, {bank::Deposited{cents}});
    invocation.output().record({{"account", account},
                                {"cents", cents},
                                {"version", result.version.value()},
                                {"notes", invocation.texts("--note")},
                                {"loud", invocation.has("--loud")}});
    return ExitCode::ok;
}

/// Starts sagas and delivers messages, which have no receiver, all on one day long ago.
ExitCode work(Invocation& invocation) {
    const daybook::VirtualClock clock{daybook::parse_iso8601("2016-07-04")};
    auto store = invocation.open_store(IfMissing::fail, &clock);
    daybook::LocalTransport transport{store};
    daybook::SagaOrchestrator orchestrator{store, transport};
    orchestrator.add(bank::admission());
    daybook::Relay relay{store, transport};
    orchestrator.run_once();
    relay.run_once();
    return ExitCode::ok;
}

Subcommand pay_in_command() {
    return {.name = "pay-in",
            .help = "Put money into an account",
            .options = {{.name = "ACCOUNT", .required = true},
                        {.name = "--cents", .takes = Takes::number, .fallback = "100"},
                        {.name = "--note", .help = "A remark", .repeated = true},
                        {.name = "--loud", .takes = Takes::nothing}},
            .run = pay_in};
}

void add_projections(daybook::ProjectionRunner& runner) {
    runner.add(bank::Balances{});
    runner.add(bank::Owners{});
}

void add_sagas(daybook::SagaOrchestrator& sagas) { sagas.add(bank::admission()); }

}  // namespace

int main(int argc, char** argv) {
    return daybook::command::run(
        argc, argv,
        {.name = "bank",
         .help = "Keeps accounts",
         .version = "7.8.9",
         .projections = add_projections,
         .sagas = add_sagas,
         .commands = {pay_in_command(), {.name = "work", .help = "Do what is due", .run = work}}});
}
