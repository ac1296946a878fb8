#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace daybook {

/// How deep objects and arrays may be nested.
inline constexpr std::size_t json_depth_max = 1024;

/// Whether `text` is exactly one JSON value (RFC 8259) in UTF-8, nested no deeper than
/// `json_depth_max`. Thread-safe.
bool is_json(std::string_view text);

/// The same as `is_json`, and the value is an object.
bool is_json_object(std::string_view text);

/// Why `text` is not such a value, and the remedy, as the end of a sentence: "is not JSON: give it
/// JSON text". Nothing if it is one. Thread-safe.
std::optional<std::string> json_fault(std::string_view text);

/// Are two texts of JSON the same but for blanks and line breaks between their tokens? A number
/// that is spelled in another way is another one, and so is another order of keys. Does not check
/// that they are JSON. Thread-safe.
bool is_same_json(std::string_view one, std::string_view other);

}  // namespace daybook
