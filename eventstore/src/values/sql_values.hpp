#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

// Which parameters both engines accept, and how both convert columns, so that they give the same
// results.

namespace daybook::detail {

/// Throws InvalidError, which names the statement and the parameter, if a text is not UTF-8 or
/// holds a zero byte.
void check_parameters(std::string_view statement, Sql::Parameters parameters);

/// `value` as a parameter of a statement, limited to half of the largest number, so that the
/// statement can add to it without overflow.
inline std::int64_t bounded(std::uint64_t value) noexcept {
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2;
    return static_cast<std::int64_t>(std::min(value, max));
}

/// The value of a decimal text (`12`, `-3.000`, `1e3`) if it is a whole number of 64 bits;
/// otherwise nothing.
std::optional<std::int64_t> whole_number(std::string_view text) noexcept;
/// The same for a double, which must be exactly a whole number.
std::optional<std::int64_t> whole_number(double value) noexcept;
/// The number that the whole text is, if it is one.
std::optional<double> real_number(std::string_view text) noexcept;

/// Throws InvalidError: the column does not hold the type that was read.
[[noreturn]] void refuse_column(std::string_view column, std::string_view value,
                                std::string_view wanted);

/// The types in the error texts of SqlRow::integer and SqlRow::real.
inline constexpr std::string_view a_whole_number = "a whole number of 64 bits";
inline constexpr std::string_view a_number = "a number";

}  // namespace daybook::detail
