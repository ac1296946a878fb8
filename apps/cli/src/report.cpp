#include "report.hpp"

#include "json_text.hpp"

namespace daybook::command {

ExitCode Reporter::error(const Error& error) const {
    write(to_string(error.kind()), error.what(), error.retryable());
    return exit_code(error.kind());
}

ExitCode Reporter::failure(std::string_view text) const {
    write("failure", text, false);
    return ExitCode::failure;
}

ExitCode Reporter::usage(std::string_view text, std::string_view hint) const {
    write("usage", text, false);
    if (!output_.json()) output_.note(hint);
    return ExitCode::usage;
}

void Reporter::write(std::string_view kind, std::string_view text, bool retryable) const {
    if (output_.json()) {
        output_.note(to_line({{"error", kind}, {"message", text}, {"retryable", retryable}}));
        return;
    }
    const bool colour = output_.options().colour;
    std::string line{program_};
    line += ": ";
    if (colour) line += "\x1b[31m";
    line += kind;
    if (colour) line += "\x1b[0m";
    line += ": ";
    line += text;
    output_.note(line);
}

}  // namespace daybook::command
