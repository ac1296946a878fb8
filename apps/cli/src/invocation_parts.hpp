#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daybook/command/invocation.hpp"
#include "daybook/command/program.hpp"
#include "stop_signal.hpp"

namespace daybook::command {

/// What was given for one option.
struct Given {
    const Option* option = nullptr;
    bool present = false;
    std::vector<std::string> values{};
};

using GivenOptions = std::map<std::string, Given, std::less<>>;

struct Invocation::Parts {
    const Program& program;
    Output& output;
    std::string store{};
    GivenOptions given{};
    std::optional<StopSignal> stop_signal{};
    std::string committed{};  ///< what is done for good
};

}  // namespace daybook::command
