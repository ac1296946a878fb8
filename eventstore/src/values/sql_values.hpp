#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

// What both engines accept as a parameter and make of a column, so that they give one answer.

namespace daybook::detail {

/// Throws InvalidError, with the statement and the parameter's place named, if a text among them is
/// not UTF-8 or holds a zero byte.
void check_parameters(std::string_view statement, Sql::Parameters parameters);

/// `value` as a parameter of a statement. At most half of what there is, so that the statement may
/// add to it.
inline std::int64_t bounded(std::uint64_t value) noexcept {
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;
    return static_cast<std::int64_t>(std::min(value, max));
}

/// The number that a decimal text (`12`, `-3.000`, `1e3`) stands for if it is a whole one of 64
/// bits; nothing if it is another, or no number.
std::optional<std::int64_t> whole_number(std::string_view text) noexcept;
/// The same of a double, which must stand for a whole number exactly.
std::optional<std::int64_t> whole_number(double value) noexcept;
/// The number that all of the text stands for, if there is one.
std::optional<double> real_number(std::string_view text) noexcept;

/// Throws InvalidError: the column does not hold what was asked for.
[[noreturn]] void refuse_column(std::string_view column, std::string_view value,
                                std::string_view wanted);

/// What SqlRow::integer and SqlRow::real throw of.
inline constexpr std::string_view a_whole_number = "a whole number of 64 bits";
inline constexpr std::string_view a_number = "a number";

}  // namespace daybook::detail
