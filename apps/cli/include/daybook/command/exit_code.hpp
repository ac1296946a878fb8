#pragma once

#include "daybook/core/error.hpp"

namespace daybook::command {

/// What a command tells the shell.
enum class ExitCode {
    ok = 0,
    failure = 1,      ///< anything that has no code of its own
    usage = 2,        ///< the command line, or what it was given, can never work
    not_found = 3,    ///< a store, stream, projection, message or saga that is not there
    conflict = 4,     ///< a stream was not as expected, or an id was used for something else
    corrupt = 5,      ///< what was read cannot be what was written
    unavailable = 6,  ///< busy, or the disk is full: the same call may work later
};

/// The one place that says which kind of error ends a command with which code.
ExitCode exit_code(ErrorKind kind) noexcept;
/// The same, and `failure` for a right that is missing: to wait for it would be in vain.
ExitCode exit_code(const Error& error) noexcept;

}  // namespace daybook::command
