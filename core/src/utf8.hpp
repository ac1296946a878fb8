#pragma once

#include <cstdint>
#include <string_view>

namespace daybook::detail {

/// What `next_code_point` gives for bytes that are not UTF-8.
inline constexpr char32_t not_utf8 = 0xFFFFFFFF;

/// Takes one code point off the front of `text`, which must not be empty. Refuses overlong forms,
/// surrogates and everything above U+10FFFF, and then takes nothing.
char32_t next_code_point(std::string_view& text) noexcept;

}  // namespace daybook::detail
