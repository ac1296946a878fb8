#include "json_text.hpp"

#include <algorithm>

#include "terminal_text.hpp"

namespace daybook::command {

std::string to_cell(const Json& value) {
    if (value.is_null()) return "-";
    const std::string text =
        terminal_text(value.is_string() ? value.get_ref<const std::string&>() : to_line(value));
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
