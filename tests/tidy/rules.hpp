#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// Each rule checks one file, or the whole tree, and returns what it finds. None of them reads the
// disk, so that a test can give every rule bad input.
namespace tidy {

/// A violation of a rule, at one line. An empty list of findings is a pass.
struct Finding {
    std::string path;
    std::size_t line;  ///< from 1; 0 is the file as a whole
    std::string text;
};

using Findings = std::vector<Finding>;

/// Paths relative to the root of the repository, with `/`, and the texts of the files.
using Tree = std::map<std::string, std::string, std::less<>>;

inline constexpr std::size_t columns_max = 100;
inline constexpr std::size_t function_lines_max = 70;
inline constexpr std::size_t file_lines_max = 700;
inline constexpr std::size_t sql_parameters_max = 8;

/// A folder includes only what stands below it, and no internal header of another.
Findings check_levels(std::string_view path, std::string_view text);

/// The rooms of `eventstore/` have an order of their own, which includes keep as well, those of
/// public headers too. Every file there stands in a room.
Findings check_rooms(std::string_view path, std::string_view text);

/// What stands in `internal/` is for the sources of libraries (and tests): no user has it.
Findings check_internals(std::string_view path, std::string_view text);

/// Each third-party header has one home. Tests and benchmarks may include what they like.
Findings check_third_party(std::string_view path, std::string_view text);

Findings check_columns(std::string_view path, std::string_view text);
Findings check_function_lines(std::string_view path, std::string_view text);
Findings check_file_lines(std::string_view path, std::string_view text);

/// No mark of work left over, in code or comments.
Findings check_leftovers(std::string_view path, std::string_view text);

/// The libraries never print and never exit.
Findings check_manners(std::string_view path, std::string_view text);

/// The libraries use the mutexes of `daybook/core/mutex.hpp`, whose use clang checks, and not those
/// of the standard, whose use it does not.
Findings check_mutexes(std::string_view path, std::string_view text);

/// A header begins with `#pragma once`; only comments may come before.
Findings check_pragma_once(std::string_view path, std::string_view text);

/// Every public header is reached from its folder's umbrella, and every umbrella of a library
/// from daybook.hpp.
Findings check_umbrellas(const Tree& tree);

/// Every SQL file of a library stands where it is embedded.
Findings check_sql_places(const Tree& tree);

/// An SQL file holds one object, with its indexes and triggers.
Findings check_sql_objects(std::string_view path, std::string_view text);

/// An SQL function has few parameters; those that belong together form a row.
Findings check_sql_parameters(std::string_view path, std::string_view text);

/// Every rule over every file.
Findings check_all(const Tree& tree);

}  // namespace tidy
