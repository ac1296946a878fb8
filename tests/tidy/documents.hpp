#pragma once

#include <cstddef>
#include <string_view>

#include "rules.hpp"

namespace tidy {

/// C++ in a document is cut from a file that is compiled: each ```` ```cpp ```` block stands, line
/// by line and whatever its indentation, in a .cpp or .hpp of `tree`.
Findings check_code_blocks(std::string_view path, std::string_view text, const Tree& tree);

/// A link to a file of the repository leads to one. `exists` takes paths relative to its root.
Findings check_links(std::string_view path, std::string_view text,
                     bool (*exists)(std::string_view));

/// A folder with more sources than this has a door sign.
inline constexpr std::size_t unsigned_sources_max = 10;

/// A folder of many sources has a README.md that says what it owns; that of `src/` and of
/// `include/` is the library's, that of every folder of SQL is schema/sql's.
Findings check_door_signs(const Tree& sources, bool (*exists)(std::string_view));

}  // namespace tidy
