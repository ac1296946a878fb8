#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "invocation_parts.hpp"

namespace daybook::command {

/// What the arguments ask for.
struct ParsedLine {
    const Subcommand* command = nullptr;  ///< nothing: `text` is the whole answer
    std::string store{};
    bool json = false;
    GivenOptions given{};
    std::string text{};  ///< help or version; with a failure, what is wrong
    std::string hint{};  ///< with a failure, what to do
    bool failed = false;
};

/// Knows the options of all commands and takes arguments apart.
class CommandLine {
public:
    /// `program` must outlive it. Throws std::logic_error if its options cannot be.
    explicit CommandLine(const Program& program);
    ~CommandLine();

    ParsedLine parse(int argc, const char* const* argv);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook::command
