#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daybook/command/exit_code.hpp"
#include "daybook/command/invocation.hpp"
#include "daybook/eventstore/event_store.hpp"

namespace daybook {
class ProjectionRunner;
class SagaOrchestrator;
}  // namespace daybook

namespace daybook::command {

/// Something that a sub-command may be given.
struct Option {
    enum class Takes { nothing, text, number };

    std::string name;     ///< `--seed`; without dashes (`ORDER`) an argument by its place
    std::string help{};   ///< one line
    std::string value{};  ///< what the help calls the value: `N`, `FILE`
    Takes takes = Takes::text;
    std::string fallback{};  ///< the value if it is not given
    bool required = false;
    bool repeated = false;  ///< may be given several times
};

/// A command of the program's own, beside those that every program has.
struct Subcommand {
    std::string name;
    std::string help{};  ///< one line
    std::vector<Option> options{};
    /// Does the work. What it throws is reported, and ends with the code for its kind.
    std::function<ExitCode(Invocation&)> run{};
};

/// A program that has the commands of `daybook` for its own projections and sagas, and more of its
/// own.
///
///     int main(int argc, char** argv) {
///         return daybook::command::run(
///             argc, argv,
///             {.name = "bank",
///              .version = "1.0",
///              .projections = [](daybook::ProjectionRunner& runner) { runner.add(Balances{}); },
///              .commands = {{.name = "pay-in",
///                            .help = "Put money into an account",
///                            .options = {{.name = "ACCOUNT", .required = true},
///                                        {.name = "--cents",
///                                         .value = "N",
///                                         .takes = daybook::command::Option::Takes::number}},
///                            .run = pay_in}}});
///     }
///
/// Options of every command, not to be taken by one: `--store`, `--json`, `--help`, `--version`.
struct Program {
    std::string name = "daybook";
    std::string help{};     ///< one line
    std::string version{};  ///< empty: Daybook's
    /// How stores are opened (clock, catalog). `create` is set by each command.
    StoreOptions store{};
    /// Adds the program's projections to a runner. Called whenever a command needs one.
    std::function<void(ProjectionRunner&)> projections{};
    /// Adds the program's sagas to an orchestrator, for what operators do to sagas by hand.
    std::function<void(SagaOrchestrator&)> sagas{};
    std::vector<Subcommand> commands{};
};

/// Runs one command line and returns what `main` has to return. Errors are told on stderr: nothing
/// is thrown but std::logic_error, for a program that is described wrongly.
int run(int argc, char** argv, Program program);

}  // namespace daybook::command
