#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

#include <unistd.h>

#include "command_line.hpp"
#include "daybook/command/program.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_uri.hpp"
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
    return {.json = json,
            .colour = on_terminal && !set("NO_COLOR"),
            .live_progress = on_terminal,
            .on_terminal = ::isatty(STDOUT_FILENO) == 1,
            .data_descriptor = STDOUT_FILENO};
}

extern "C" void daybook_command_on_broken_pipe(int) {}

/// While it lives, to write into a pipe that nobody reads is an error and no death: an event may
/// have been stored, and that has to be told. Programs that are started from here have the signal
/// as it was: a handler does not outlive exec, to ignore the signal would.
class BrokenPipe {
public:
    BrokenPipe() {
        ::sigaction(SIGPIPE, nullptr, &before_);
        if (before_.sa_handler == SIG_IGN) return;
        struct sigaction action{};
        action.sa_handler = daybook_command_on_broken_pipe;
        action.sa_flags = SA_RESTART;
        ::sigaction(SIGPIPE, &action, nullptr);
    }
    ~BrokenPipe() { ::sigaction(SIGPIPE, &before_, nullptr); }
    BrokenPipe(const BrokenPipe&) = delete;
    BrokenPipe& operator=(const BrokenPipe&) = delete;

private:
    struct sigaction before_{};
};

void hide_password_of(std::string_view name, Reporter& report) {
    std::string shown = shown_uri(name);
    if (shown != name) report.hide(std::string(name), std::move(shown));
}

/// A password may stand in a word that has nothing to do with a store, by a slip of the pen, and
/// the error quotes that word.
void hide_passwords(int argc, char** argv, Reporter& report) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        const auto equals = word.find('=');
        if (word.starts_with("--") && equals != word.npos) {
            hide_password_of(word.substr(equals + 1), report);
        } else {
            hide_password_of(word, report);
        }
    }
    const char* store = std::getenv("DAYBOOK_STORE");
    if (store != nullptr) hide_password_of(store, report);
}

ExitCode call(const Subcommand& command, Invocation& invocation) {
    const ExitCode code = command.run(invocation);
    invocation.output().flush();
    return code;
}

/// What is done for good is told as done, whatever failed afterwards.
ExitCode call_and_report(const Subcommand& command, Invocation& invocation,
                         const std::string& committed, const Reporter& report) {
    try {
        return call(command, invocation);
    } catch (const ReaderLeft& left) {
        return committed.empty() ? ExitCode::ok : report.committed(committed, left.what());
    } catch (const Error& error) {
        return committed.empty() ? report.error(error) : report.committed(committed, error.what());
    } catch (const std::exception& error) {
        return committed.empty() ? report.failure(error.what())
                                 : report.committed(committed, error.what());
    }
}

ExitCode print_help(const std::string& text, Output& output, const Reporter& report) {
    try {
        output.lines(text);
        output.flush();
        return ExitCode::ok;
    } catch (const ReaderLeft&) {
        return ExitCode::ok;
    } catch (const Error& error) {
        return report.error(error);
    }
}

}  // namespace

int run(int argc, char** argv, Program program) {
    if (program.version.empty()) program.version = DAYBOOK_VERSION;
    CommandLine command_line{program};
    ParsedLine line = command_line.parse(argc, argv);

    Output output{std::cout, std::cerr, output_options(line.json)};
    const BrokenPipe broken_pipe;
    Reporter report{program.name, output};
    hide_passwords(argc, argv, report);
    if (line.failed) return static_cast<int>(report.usage(line.text, line.hint));
    if (line.command == nullptr) return static_cast<int>(print_help(line.text, output, report));
    Invocation::Parts parts{program, output, std::move(line.store), std::move(line.given), {}, {}};
    Invocation invocation{parts};
    return static_cast<int>(call_and_report(*line.command, invocation, parts.committed, report));
}

}  // namespace daybook::command
