#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daybook/command/exit_code.hpp"
#include "daybook/command/output.hpp"

namespace daybook::command {

/// Tells on stderr what went wrong, by kind, as text or with `--json` as an object; returns what
/// the shell is to know.
class Reporter {
public:
    Reporter(std::string_view program, Output& output) : program_(program), output_(output) {}

    /// From now on `shown` is told in place of `secret`, wherever an error quotes it.
    void hide(std::string secret, std::string shown);

    ExitCode error(const Error& error) const;
    /// What is not Daybook's: a rule of the program, say.
    ExitCode failure(std::string_view text) const;
    /// A command line that cannot be understood, and what helps.
    ExitCode usage(std::string_view text, std::string_view hint) const;
    /// Something that is done for good, and what failed afterwards.
    ExitCode committed(std::string_view what, std::string_view failure) const;

private:
    std::string without_secrets(std::string_view text) const;
    void write(std::string_view kind, std::string_view what, bool retryable) const;

    std::string_view program_;
    Output& output_;
    std::vector<std::pair<std::string, std::string>> secrets_;
};

}  // namespace daybook::command
