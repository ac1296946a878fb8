#include "json_text.hpp"

#include <algorithm>

namespace daybook::command {

std::string to_cell(const Json& value) {
    if (value.is_null()) return "-";
    std::string text = value.is_string() ? value.get<std::string>() : to_line(value);
    std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
    return text.empty() ? "-" : text;
}

std::string to_line(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string words_of(std::string_view key) {
    std::string words(key);
    std::ranges::replace(words, '_', ' ');
    return words;
}

Json parsed(std::string_view text) {
    Json value = Json::parse(text, nullptr, false);
    return value.is_discarded() ? Json(text) : value;
}

Json parsed_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : parsed(text); }

}  // namespace daybook::command
