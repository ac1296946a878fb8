#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/error.hpp"

namespace daybook::detail {

/// The value that `to_string` writes as `word`. The words of an enum stand for 0, 1, 2 … in order.
template <class Enum>
std::optional<Enum> find_word(std::string_view word) {
    for (int value = 0; !to_string(static_cast<Enum>(value)).empty(); ++value) {
        if (to_string(static_cast<Enum>(value)) == word) return static_cast<Enum>(value);
    }
    return std::nullopt;
}

template <class Enum>
Enum parse_word(std::string_view word) {
    if (const auto found = find_word<Enum>(word)) return *found;
    throw CorruptError("'" + std::string(word) +
                       "' in the state of a saga is no word of its place");
}

}  // namespace daybook::detail
