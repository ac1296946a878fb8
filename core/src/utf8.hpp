#pragma once

#include <cstdint>
#include <string_view>

namespace daybook::detail {

/// `next_code_point` returns it for bytes that are not UTF-8.
inline constexpr char32_t not_utf8 = 0xFFFFFFFF;

/// Removes one code point from the front of `text`, which must not be empty, and returns it. For
/// overlong forms, surrogates and values above U+10FFFF it returns `not_utf8` and removes nothing.
char32_t next_code_point(std::string_view& text) noexcept;

}  // namespace daybook::detail
