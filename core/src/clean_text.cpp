#include "daybook/core/clean_text.hpp"

#include <cstdint>
#include <cstring>

#include "utf8.hpp"

namespace daybook {
namespace {

// Whether the first eight bytes are ASCII without a zero byte. Most texts are, and this checks
// eight bytes at once.
bool begins_with_plain_word(std::string_view text) noexcept {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    constexpr std::uint64_t highs = 0x8080'8080'8080'8080;
    std::uint64_t word = 0;
    if (text.size() < sizeof word) return false;
    std::memcpy(&word, text.data(), sizeof word);
    return ((word | (word - ones)) & highs) == 0;
}

constexpr bool is_plain(char c) noexcept { return static_cast<signed char>(c) > 0; }

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Removes the code point at the front of `rest`, or the byte that is none, and returns its
// replacement.
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
        if (begins_with_plain_word(text)) {
            text.remove_prefix(sizeof(std::uint64_t));
            continue;
        }
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
