#pragma once

#include <variant>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/ordinal.hpp"

namespace daybook {

/// Where an append ended up.
struct AppendResult {
    Position position;      ///< of its last event
    Version version;        ///< of the stream after it
    bool repeated = false;  ///< it had been stored before; nothing was stored now
};

/// Stored, or refused because the stream was not as expected.
using AppendOutcome = std::variant<AppendResult, Conflict>;

/// Neither refused nor a repeat.
inline bool has_stored(const AppendOutcome& outcome) noexcept {
    const auto* const result = std::get_if<AppendResult>(&outcome);
    return result != nullptr && !result->repeated;
}

}  // namespace daybook
