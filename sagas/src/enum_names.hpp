#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/error.hpp"

namespace daybook::detail {

/// The value whose `to_string` is `name`. Requires an enum with the values 0, 1, 2 … without gaps,
/// and a `to_string` that is empty for all others.
template <class Enum>
std::optional<Enum> enum_from_name(std::string_view name) {
    for (int value = 0; !to_string(static_cast<Enum>(value)).empty(); ++value) {
        if (to_string(static_cast<Enum>(value)) == name) return static_cast<Enum>(value);
    }
    return std::nullopt;
}

/// The same; throws CorruptError.
template <class Enum>
Enum parse_enum(std::string_view name) {
    if (const auto found = enum_from_name<Enum>(name)) return *found;
    throw CorruptError("'" + std::string(name) +
                       "' in the state of a saga is not a name that this build knows");
}

}  // namespace daybook::detail
