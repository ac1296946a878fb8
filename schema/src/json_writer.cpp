#include "daybook/schema/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include <simdjson.h>

#include "daybook/core/error.hpp"

namespace daybook {
namespace {

constexpr bool needs_escape(unsigned char c) noexcept { return c < 0x20 || c == '"' || c == '\\'; }

// Whether eight bytes can be copied unchanged. Only ASCII can; the rest has to be checked as UTF-8.
bool is_plain(const char* eight) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x80 * ones;
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    const std::uint64_t quote = word ^ ('"' * ones);
    const std::uint64_t backslash = word ^ ('\\' * ones);
    // The high bit of a byte is set if it is not ASCII, below a blank, a quote or a backslash.
    const std::uint64_t special = word | (word - 0x20 * ones) | (quote - ones) | (backslash - ones);
    return (special & highs) == 0;
}

bool is_plain(std::string_view text) noexcept {
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        if (!is_plain(text.data() + i)) return false;
    }
    for (; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (needs_escape(c) || c >= 0x80) return false;
    }
    return true;
}

void append_escape(char c, std::string& out) {
    constexpr char digits[] = "0123456789abcdef";
    switch (c) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: out.append("\\u00").append(1, digits[c >> 4]).append(1, digits[c & 0xF]);
    }
}

void append_escaped(std::string_view text, std::string& out) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!needs_escape(static_cast<unsigned char>(text[i]))) continue;
        out.append(text, begin, i - begin);
        append_escape(text[i], out);
        begin = i + 1;
    }
    out.append(text, begin);
}

template <class Number>
std::string_view spell(Number number, std::array<char, 32>& space) noexcept {
    const auto end = std::to_chars(space.data(), space.data() + space.size(), number).ptr;
    return {space.data(), static_cast<std::size_t>(end - space.data())};
}

}  // namespace

void JsonWriter::integer(std::int64_t number) {
    std::array<char, 32> space;
    put(spell(number, space));
}

void JsonWriter::natural(std::uint64_t number) {
    std::array<char, 32> space;
    put(spell(number, space));
}

void JsonWriter::value(double number) {
    if (!std::isfinite(number)) fail("the number is not finite");
    std::array<char, 32> space;
    put(spell(number, space));
}

void JsonWriter::value(float number) {
    if (!std::isfinite(number)) fail("the number is not finite");
    std::array<char, 32> space;
    put(spell(number, space));
}

void JsonWriter::value(std::string_view text) {
    comma();
    out_ += '"';
    if (is_plain(text)) {
        out_ += text;
    } else {
        if (!simdjson::validate_utf8(text.data(), text.size())) fail("the text is not UTF-8");
        append_escaped(text, out_);
    }
    out_ += '"';
}

void JsonWriter::value(const EventId& id) {
    comma();
    out_.append(1, '"').append(id.to_string()).append(1, '"');
}

void JsonWriter::value(Timestamp instant) {
    constexpr std::chrono::sys_days first = std::chrono::year{0} / 1 / 1;
    constexpr std::chrono::sys_days end = std::chrono::year{10'000} / 1 / 1;
    if (instant < first || instant >= end) fail("the instant is not within the years 0 to 9999");
    comma();
    out_.append(1, '"').append(to_iso8601(instant)).append(1, '"');
}

void JsonWriter::fail(std::string_view reason) {
    out_.resize(start_);
    std::string text = "JSON of '" + std::string(subject_) + '\'';
    if (!key_.empty()) text.append(", field '").append(key_).append(1, '\'');
    throw InvalidError(text.append(": ").append(reason));
}

}  // namespace daybook
