#pragma once

#include <string_view>

#include "rules.hpp"

namespace tidy {

/// C++ in a document is cut from a file that is compiled: each ```` ```cpp ```` block stands, line
/// by line and whatever its indentation, in a .cpp or .hpp of `tree`.
Findings check_code_blocks(std::string_view path, std::string_view text, const Tree& tree);

/// A link to a file of the repository leads to one. `exists` knows paths relative to its root.
Findings check_links(std::string_view path, std::string_view text,
                     bool (*exists)(std::string_view));

}  // namespace tidy
