#include "daybook/command/exit_code.hpp"

#include "daybook/core/denied_error.hpp"

namespace daybook::command {

ExitCode exit_code(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid: return ExitCode::usage;
        case ErrorKind::conflict: return ExitCode::conflict;
        case ErrorKind::duplicate: return ExitCode::conflict;
        case ErrorKind::not_found: return ExitCode::not_found;
        case ErrorKind::unavailable: return ExitCode::unavailable;
        case ErrorKind::storage: return ExitCode::unavailable;
        case ErrorKind::corrupt: return ExitCode::corrupt;
        // Not `unavailable`: a script that just tries again might do it twice.
        case ErrorKind::in_doubt: return ExitCode::failure;
        case ErrorKind::cancelled: return ExitCode::failure;
    }
    return ExitCode::failure;
}

ExitCode exit_code(const Error& error) noexcept {
    if (dynamic_cast<const DeniedError*>(&error) != nullptr) return ExitCode::failure;
    return exit_code(error.kind());
}

}  // namespace daybook::command
