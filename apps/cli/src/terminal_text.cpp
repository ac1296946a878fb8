#include "terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include <locale.h>
#include <wchar.h>

namespace daybook::command {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 1;
    bool good = false;  ///< it is UTF-8
};

bool continues(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

Character character_at(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return {first, 1, true};
    const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return {};
    char32_t code = first & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if (!continues(text, at + i)) return {0, i, false};
        code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return {code, bytes, code >= smallest[bytes] && code <= 0x10ffff && !surrogate};
}

/// What a terminal obeys, and what nobody sees. The joiners U+200C and U+200D stay: scripts and
/// emoji are written with them.
bool is_dangerous(char32_t c) {
    const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
    return c < 0x20 || in(0x7f, 0x9f) || c == 0x061c || c == 0x180e || c == 0x200b ||
           in(0x200e, 0x200f) || in(0x2028, 0x202e) || in(0x2060, 0x206f) || c == 0xfeff ||
           in(0xfff9, 0xfffb) || in(0xe0000, 0xe007f);
}

bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f; }

void append_escaped(char32_t c, std::string& out) {
    char escape[16];
    if (c > 0xffff) {
        const auto rest = static_cast<unsigned>(c) - 0x10000U;
        std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xd800U + (rest >> 10),
                      0xdc00U + (rest & 0x3ffU));
    } else {
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
    }
    out += escape;
}

/// Blanks for `white`, escapes for what else is dangerous.
std::string fitted(std::string_view text, std::string_view white, std::string_view kept) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Character next = character_at(text, at);
        const std::string_view bytes = text.substr(at, next.bytes);
        at += next.bytes;
        if (!next.good) {
            out += "\xef\xbf\xbd";
        } else if (!is_dangerous(next.code) || kept.find(bytes) != kept.npos) {
            out += bytes;
        } else if (white.find(bytes) != white.npos) {
            out += ' ';
        } else {
            append_escaped(next.code, out);
        }
    }
    return out;
}

/// glibc knows how wide characters are, in a locale that has them all.
class Widths {
public:
    Widths() : before_(::uselocale(unicode() == locale_t{} ? locale_t{} : unicode())) {}
    ~Widths() { ::uselocale(before_); }
    Widths(const Widths&) = delete;
    Widths& operator=(const Widths&) = delete;

    std::size_t of(char32_t c) const {
        const int width = ::wcwidth(static_cast<wchar_t>(c));
        return width < 0 ? 1 : static_cast<std::size_t>(width);
    }

private:
    static locale_t unicode() {
        static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        return locale;
    }

    locale_t before_;
};

}  // namespace

std::string terminal_text(std::string_view text) {
    if (std::ranges::all_of(text, is_plain)) return std::string(text);
    return fitted(text, "\t\r\n", "");
}

std::string terminal_lines(std::string_view text) { return fitted(text, "\t\r", "\n"); }

std::string terminal_json(std::string_view json) {
    if (std::ranges::all_of(json, is_plain)) return std::string(json);
    return fitted(json, "", "\t\r\n");
}

std::size_t terminal_width(std::string_view text) {
    if (std::ranges::all_of(text, is_plain)) return text.size();
    const Widths widths;
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Character next = character_at(text, at);
        width += next.good ? widths.of(next.code) : 1;
        at += next.bytes;
    }
    return width;
}

}  // namespace daybook::command
