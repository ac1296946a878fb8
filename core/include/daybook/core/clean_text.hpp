#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace daybook {

/// How much is kept of a text that was not written for the store: an exception's, a reason's.
inline constexpr std::size_t kept_text_bytes_max = 4'096;

/// `text` as both engines can store it: at most `bytes_max` bytes of UTF-8. Each byte that is no
/// part of UTF-8, and each zero byte, becomes U+FFFD, and the cut is between two code points.
/// For texts that come from a program's own code; names are refused instead. Never throws but for
/// want of memory.
///
///     row.exec("UPDATE … SET error = ?", clean_text(exception.what()));
std::string clean_text(std::string_view text, std::size_t bytes_max = kept_text_bytes_max);

/// True if `text` is UTF-8 without a zero byte: what both engines store in a text column as it is.
bool is_clean_text(std::string_view text) noexcept;

}  // namespace daybook
