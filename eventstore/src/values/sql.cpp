#include "daybook/eventstore/sql.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/error.hpp"
#include "values/sql_values.hpp"

namespace daybook {

namespace {

constexpr std::size_t shown_value_bytes_max = 80;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Removes the digits at the front of `text` and returns them.
std::string_view take_digits(std::string_view& text) noexcept {
    const auto end = std::ranges::find_if_not(text, is_digit);
    const std::string_view digits{text.begin(), end};
    text.remove_prefix(digits.size());
    return digits;
}

/// The parts of `-12.50e3`. The digits stay text, because a double would round them.
struct Decimal {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
    int exponent = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) noexcept {
    Decimal decimal;
    decimal.negative = text.starts_with('-');
    if (decimal.negative || text.starts_with('+')) text.remove_prefix(1);
    decimal.whole = take_digits(text);
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        decimal.fraction = take_digits(text);
    }
    if (decimal.whole.empty() && decimal.fraction.empty()) return std::nullopt;
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('+')) text.remove_prefix(1);
        const auto [end, error] =
            std::from_chars(text.data(), text.data() + text.size(), decimal.exponent);
        if (error != std::errc{}) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    if (!text.empty()) return std::nullopt;
    return decimal;
}

}  // namespace

void SqlValue::refuse_number(std::uint64_t value) {
    throw InvalidError("an SQL parameter is " + std::to_string(value) +
                       ", which no column of whole numbers holds: give it as text, or a number up "
                       "to 9223372036854775807");
}

void SqlValue::refuse_nan() {
    throw InvalidError(
        "an SQL parameter is NaN, which SQLite would store as NULL: give a number, or nullptr");
}

EventId SqlRow::id(int column) const {
    const SqlValue::Bytes stored = bytes(column);
    if (stored.size() != EventId::size) {
        throw CorruptError("column '" + std::string(column_name(column)) + "' holds " +
                           std::to_string(stored.size()) +
                           " bytes where an id of 16 belongs: restore the store from a backup");
    }
    EventId::Bytes bytes{};
    std::ranges::copy(stored, bytes.begin());
    return EventId{bytes};
}

std::string quoted_name(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        text += c;
        if (c == '"') text += c;
    }
    return text + '"';
}

namespace detail {

void check_parameters(std::string_view statement, Sql::Parameters parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const auto* const text = std::get_if<std::string_view>(&parameters[i].data());
        if (text == nullptr || is_clean_text(*text)) continue;
        throw InvalidError("parameter " + std::to_string(i + 1) + " of '" + std::string(statement) +
                           "' is not UTF-8 or holds a zero byte: give it as bytes, or clean it");
    }
}

std::optional<std::int64_t> whole_number(std::string_view text) noexcept {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc{} && read == end) return number;

    const auto decimal = parse_decimal(text);
    if (!decimal) return std::nullopt;
    number = 0;
    // The digits before and after the point in one sequence, and the place of the point in it.
    const auto digits = static_cast<std::int64_t>(decimal->whole.size() + decimal->fraction.size());
    const auto point = static_cast<std::int64_t>(decimal->whole.size()) + decimal->exponent;
    const auto digit_at = [&](std::int64_t i) {
        const auto index = static_cast<std::size_t>(i);
        if (i < 0 || i >= digits) return 0;
        return (index < decimal->whole.size() ? decimal->whole[index]
                                              : decimal->fraction[index - decimal->whole.size()]) -
               '0';
    };
    for (std::int64_t i = std::max<std::int64_t>(point, 0); i < digits; ++i) {
        if (digit_at(i) != 0) return std::nullopt;
    }
    // The number is built as a negative one, because the smallest has no positive counterpart.
    bool all_zero = true;
    for (std::int64_t i = 0; i < point; ++i) {
        if (all_zero && i >= digits) break;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, digit_at(i), &number)) {
            return std::nullopt;
        }
        all_zero = number == 0;
    }
    if (decimal->negative) return number;
    if (number == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    return -number;
}

std::optional<std::int64_t> whole_number(double value) noexcept {
    constexpr double limit = 9223372036854775808.0;  // 2^63
    if (!(value >= -limit && value < limit) || std::trunc(value) != value) return std::nullopt;
    return static_cast<std::int64_t>(value);
}

std::optional<double> real_number(std::string_view text) noexcept {
    if (text.starts_with('+')) text.remove_prefix(1);
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || read != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

void refuse_column(std::string_view column, std::string_view value, std::string_view wanted) {
    throw InvalidError("column '" + std::string(column) + "' holds '" +
                       clean_text(value, shown_value_bytes_max) + "', which is not " +
                       std::string(wanted) + ": read it as what it is, or cast it in the query");
}

}  // namespace detail

}  // namespace daybook
