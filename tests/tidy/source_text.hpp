#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tidy {

/// C++ text with comments and the insides of literals turned into spaces. Lines and columns stay
/// where they are, so that an offset in the result is the same offset in `text`.
std::string without_comments_and_literals(std::string_view text);

/// The lines of `text`, without their line ends.
std::vector<std::string_view> lines_of(std::string_view text);

/// How many columns a UTF-8 line takes: code points, not bytes.
std::size_t columns_of(std::string_view line);

/// One `#include`, outside comments and literals.
struct Include {
    std::size_t line;       ///< from 1
    std::string_view name;  ///< between the quotes or angle brackets
    bool quoted;
};

/// All includes of a C++ text; the names point into `text`.
std::vector<Include> includes_of(std::string_view text);

/// A function body (or a test case) that stands in a namespace or a class.
struct Function {
    std::size_t first_line;  ///< where its declaration begins, from 1
    std::size_t last_line;   ///< where its closing brace stands
    std::string name;        ///< a guess, for the reader of a finding
};

/// The functions of a C++ text, found by matching braces. Lambdas count to what holds them; nested
/// classes' members are found, local classes' are not.
std::vector<Function> functions_of(std::string_view text);

}  // namespace tidy
