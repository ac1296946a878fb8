#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"

// Small translations between what the libraries give and what the commands write.

namespace daybook::command {

using Json = nlohmann::ordered_json;

/// A value as people read it: text without quotes, `-` for null, on one line fit for a terminal.
std::string to_cell(const Json& value);
/// As one line of JSON, whatever bytes its texts hold.
std::string to_line(const Json& value);
/// `last_error` as `last error`.
std::string words_of(std::string_view key);

/// The value of a JSON text; the text itself if it is none.
Json parsed(std::string_view text);
/// The same; null if the text is empty.
Json parsed_or_null(std::string_view text);

inline Json text_or_null(std::string_view text) {
    return text.empty() ? Json(nullptr) : Json(text);
}
inline Json id_or_null(const EventId& id) {
    return id.is_nil() ? Json(nullptr) : Json(id.to_string());
}
inline Json time_or_null(const std::optional<Timestamp>& instant) {
    return instant ? Json(to_iso8601(*instant)) : Json(nullptr);
}

}  // namespace daybook::command
