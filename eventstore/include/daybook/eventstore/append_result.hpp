#pragma once

#include <variant>

#include "daybook/core/conflict_error.hpp"
#include "daybook/core/ordinal.hpp"

namespace daybook {

/// The result of an append.
struct AppendResult {
    Position position;      ///< of its last event
    Version version;        ///< of the stream after it
    bool repeated = false;  ///< the events were stored already; nothing was stored now
};

/// Stored, or refused because the stream was not as expected.
using AppendOutcome = std::variant<AppendResult, Conflict>;

/// True if events were stored: neither a conflict nor a repeat.
inline bool has_stored(const AppendOutcome& outcome) noexcept {
    const auto* const result = std::get_if<AppendResult>(&outcome);
    return result != nullptr && !result->repeated;
}

}  // namespace daybook
