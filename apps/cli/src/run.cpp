#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <unistd.h>

#include "command_line.hpp"
#include "daybook/command/program.hpp"
#include "daybook/core/error.hpp"
#include "invocation_parts.hpp"
#include "report.hpp"

namespace daybook::command {

namespace {

OutputOptions output_options(bool json) {
    const auto set = [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    };
    const char* terminal = std::getenv("TERM");
    const bool on_terminal =
        ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view{terminal} != "dumb";
    return {.json = json, .colour = on_terminal && !set("NO_COLOR"), .live_progress = on_terminal};
}

ExitCode call(const Subcommand& command, Invocation& invocation) {
    const ExitCode code = command.run(invocation);
    invocation.output().flush();
    return code;
}

}  // namespace

int run(int argc, char** argv, Program program) {
    if (program.version.empty()) program.version = DAYBOOK_VERSION;
    CommandLine command_line{program};
    ParsedLine line = command_line.parse(argc, argv);

    Output output{std::cout, std::cerr, output_options(line.json)};
    const Reporter report{program.name, output};
    if (line.failed) return static_cast<int>(report.usage(line.text, line.hint));
    try {
        if (line.command == nullptr) {
            output.line(line.text);
            output.flush();
            return 0;
        }
        Invocation::Parts parts{program, output, std::move(line.store), std::move(line.given), {}};
        Invocation invocation{parts};
        return static_cast<int>(call(*line.command, invocation));
    } catch (const Error& error) {
        return static_cast<int>(report.error(error));
    } catch (const std::exception& error) {
        return static_cast<int>(report.failure(error.what()));
    }
}

}  // namespace daybook::command
