#include "report.hpp"

#include <ostream>

#include "json_text.hpp"
#include "terminal_text.hpp"

namespace daybook::command {

ExitCode Reporter::error(const Error& error) const {
    write(to_string(error.kind()), error.what(), error.retryable());
    return exit_code(error);
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

ExitCode Reporter::committed(std::string_view what, std::string_view failure) const {
    std::string text{what};
    text += ": this is done, do not repeat it; but then: ";
    text += failure;
    write("failure", text, false);
    return ExitCode::failure;
}

void Reporter::hide(std::string secret, std::string shown) {
    secrets_.emplace_back(std::move(secret), std::move(shown));
}

std::string Reporter::without_secrets(std::string_view text) const {
    std::string told{text};
    for (const auto& [secret, shown] : secrets_) {
        for (auto at = told.find(secret); at != told.npos; at = told.find(secret, at)) {
            told.replace(at, secret.size(), shown);
            at += shown.size();
        }
    }
    return told;
}

void Reporter::write(std::string_view kind, std::string_view what, bool retryable) const {
    const std::string text = without_secrets(what);
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
    line += terminal_text(text);
    line += '\n';
    output_.notes() << line;
}

}  // namespace daybook::command
