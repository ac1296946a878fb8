#pragma once

#include <string>
#include <string_view>

#include "daybook/command/exit_code.hpp"
#include "daybook/command/output.hpp"

namespace daybook::command {

/// Tells on stderr what went wrong, by kind, as text or with `--json` as an object; returns what
/// the shell is to know.
class Reporter {
public:
    Reporter(std::string_view program, Output& output) : program_(program), output_(output) {}

    ExitCode error(const Error& error) const;
    /// What is not Daybook's: a rule of the program, say.
    ExitCode failure(std::string_view text) const;
    /// A command line that cannot be understood, and what helps.
    ExitCode usage(std::string_view text, std::string_view hint) const;

private:
    void write(std::string_view kind, std::string_view text, bool retryable) const;

    std::string_view program_;
    Output& output_;
};

}  // namespace daybook::command
