#include "daybook/core/stream_name.hpp"

#include "daybook/core/error.hpp"
#include "utf8.hpp"

namespace daybook {
namespace {

constexpr bool is_control(char32_t c) noexcept { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

// The white space of Unicode (property White_Space) without control characters.
constexpr bool is_space(char32_t c) noexcept {
    return c == ' ' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Why `name` is not a stream name; nullptr if it is one.
const char* fault_of(std::string_view name) noexcept {
    if (name.empty()) return "is empty";
    if (name.size() > StreamName::bytes_max) return "is longer than 200 bytes";
    if (name.front() == '-') return "begins with '-'";
    if (name.front() == '$') return "begins with '$', which is kept for names of Daybook's own";
    while (!name.empty()) {
        const char32_t c = detail::next_code_point(name);
        if (c == detail::not_utf8) return "is not UTF-8";
        if (is_control(c)) return "holds a control character";
        if (is_space(c)) return "holds white space";
    }
    return nullptr;
}

// The name for an error text: shortened, and without bytes that could control a terminal.
std::string printable(std::string_view name) {
    constexpr std::size_t shown_max = 60;
    std::string text;
    for (const char c : name.substr(0, shown_max)) text += c >= 0x20 && c < 0x7F ? c : '?';
    if (name.size() > shown_max) text += "...";
    return text;
}

}  // namespace

StreamName::StreamName(std::string name) : name_(std::move(name)) {
    if (const char* fault = fault_of(name_)) {
        throw InvalidError("stream name '" + printable(name_) + "' " + fault +
                           ": give 1 to 200 bytes of UTF-8 like order-10248");
    }
}

std::string_view StreamName::id() const noexcept {
    const auto dash = name_.find('-');
    return dash == std::string::npos ? std::string_view{}
                                     : std::string_view{name_}.substr(dash + 1);
}

}  // namespace daybook
