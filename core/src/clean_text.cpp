#include "daybook/core/clean_text.hpp"

#include "utf8.hpp"

namespace daybook {
namespace {

// ASCII but for the zero byte: nearly all there is in names.
constexpr bool is_plain(char c) noexcept { return static_cast<signed char>(c) > 0; }

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// What to keep for the code point, or for the byte that is none, at the front of `rest`, which
// loses it.
std::string_view take(std::string_view& rest) noexcept {
    const std::string_view before = rest;
    const char32_t c = detail::next_code_point(rest);
    if (c == detail::not_utf8) rest.remove_prefix(1);
    if (c == detail::not_utf8 || c == 0) return replacement;
    return before.substr(0, before.size() - rest.size());
}

}  // namespace

std::string clean_text(std::string_view text, std::size_t bytes_max) {
    std::string kept;
    while (!text.empty()) {
        const std::string_view piece = take(text);
        if (piece.size() > bytes_max - kept.size()) break;
        kept += piece;
    }
    return kept;
}

bool is_clean_text(std::string_view text) noexcept {
    while (!text.empty()) {
        if (is_plain(text.front())) {
            text.remove_prefix(1);
            continue;
        }
        const char32_t c = detail::next_code_point(text);
        if (c == detail::not_utf8 || c == 0) return false;
    }
    return true;
}

}  // namespace daybook
