#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace daybook::command {

/// Shows each member of `object`, which is a JSON object (see is_json_object): its key, and the
/// text of its value just as it stands there. Parsing would lose digits. Throws InvalidError for a
/// key that stands there twice: which of the two is meant cannot be known.
void for_each_member(
    std::string_view object,
    const std::function<void(std::string_view key, std::string_view value)>& visit);

/// What the JSON string `value` says. Throws InvalidError naming `key` if it is no string.
std::string json_text(std::string_view key, std::string_view value);

}  // namespace daybook::command
