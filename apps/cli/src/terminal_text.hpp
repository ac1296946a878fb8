#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Stored texts are written by strangers. A terminal obeys control characters: with them a text can
// change the window's title, erase what stands above it, or show a line in another order than it
// is stored in. Whatever goes to people passes through here first.

namespace daybook::command {

/// The text on one line that a terminal shows and does not obey. Line breaks and tabs become
/// blanks. Other control characters (C0, DEL, C1), direction marks and invisible characters are
/// written out as JSON escapes, `\u001b`. Bytes that are not UTF-8 become U+FFFD. All other text
/// stays.
std::string terminal_text(std::string_view text);

/// The same for a text of several lines: its line breaks stay.
std::string terminal_lines(std::string_view text);

/// The same value as the JSON text `json`, which must be whole: what a terminal would obey is
/// escaped.
std::string terminal_json(std::string_view json);

/// How many columns of a terminal `text` takes; a text from above.
std::size_t terminal_width(std::string_view text);

}  // namespace daybook::command
