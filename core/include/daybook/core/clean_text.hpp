#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace daybook {

/// How much is stored of a text that a program has not written for the store: of an exception, of a
/// reason.
inline constexpr std::size_t kept_text_bytes_max = 4'096;

/// `text` in a form that both engines can store: at most `bytes_max` bytes of UTF-8, cut between
/// two code points. Each byte that is not part of UTF-8, and each zero byte, becomes U+FFFD. For
/// texts that come from a program's own code; names that are not clean are refused instead. Throws
/// only if there is no memory.
///
///     row.exec("UPDATE … SET error = ?", clean_text(exception.what()));
std::string clean_text(std::string_view text, std::size_t bytes_max = kept_text_bytes_max);

/// True if `text` is UTF-8 without a zero byte: both engines store such a text unchanged.
bool is_clean_text(std::string_view text) noexcept;

}  // namespace daybook
