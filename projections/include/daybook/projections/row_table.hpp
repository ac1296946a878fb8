#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "daybook/eventstore/sql.hpp"
#include "daybook/schema/fields.hpp"

// Converts structs with `fields()` to rows of a table and back.

namespace daybook::detail {

enum class ColumnType { integer, real, text, blob };

struct Column {
    std::string_view name;
    ColumnType type;
    bool nullable;
};

/// The statements of a table whose first column is its key.
struct RowStatements {
    RowStatements(std::string_view table, std::span<const Column> columns);

    std::string create;
    std::string select;  ///< all columns of the row with a key
    std::string upsert;  ///< takes all columns
    std::string erase;   ///< takes the key
    std::string first;   ///< any one row
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsOrdinal : std::false_type {};
template <class Tag>
struct IsOrdinal<Ordinal<Tag>> : std::true_type {};

template <class T>
inline constexpr bool no_column_for = false;

template <class T>
consteval ColumnType column_type() {
    if constexpr (IsOptional<T>::value) {
        return column_type<typename T::value_type>();
    } else if constexpr (std::integral<T> || std::is_enum_v<T> || IsOrdinal<T>::value ||
                         std::same_as<T, Timestamp>) {
        return ColumnType::integer;
    } else if constexpr (std::floating_point<T>) {
        return ColumnType::real;
    } else if constexpr (std::same_as<T, std::string>) {
        return ColumnType::text;
    } else if constexpr (std::same_as<T, EventId>) {
        return ColumnType::blob;
    } else {
        static_assert(no_column_for<T>,
                      "a row's field is a bool, a number, an enum, a std::string, an EventId, a "
                      "Timestamp, a Position, a Version or a std::optional of one of them");
    }
}

template <class T>
SqlValue to_sql(const T& value) {
    if constexpr (IsOptional<T>::value) {
        return value ? to_sql(*value) : SqlValue(nullptr);
    } else if constexpr (std::is_enum_v<T>) {
        return SqlValue(static_cast<std::underlying_type_t<T>>(value));
    } else {
        return SqlValue(value);
    }
}

template <class T>
void from_sql(const SqlRow& row, int column, T& value) {
    if constexpr (IsOptional<T>::value) {
        value.reset();
        if (!row.is_null(column)) from_sql(row, column, value.emplace());
    } else if constexpr (std::same_as<T, Timestamp>) {
        value = row.timestamp(column);
    } else if constexpr (std::same_as<T, EventId>) {
        value = row.id(column);
    } else if constexpr (std::same_as<T, std::string>) {
        value = row.text(column);
    } else if constexpr (std::floating_point<T>) {
        value = static_cast<T>(row.real(column));
    } else if constexpr (IsOrdinal<T>::value) {
        value = T{static_cast<std::uint64_t>(row.integer(column))};
    } else {
        value = static_cast<T>(row.integer(column));
    }
}

/// A struct whose fields can be the columns of a table.
template <HasFields Row>
struct RowColumns {
    static constexpr auto described = Row::fields();
    static constexpr std::size_t count = field_count<Row>;
    template <std::size_t I>
    using Member =
        std::remove_cvref_t<decltype(std::declval<Row&>().*(std::get<I>(described).member))>;
    using Key = Member<0>;

    static std::array<Column, count> columns() {
        return std::apply(
            [](const auto&... field) { return std::array<Column, count>{column(field)...}; },
            described);
    }
    static Key& key(Row& row) { return row.*(std::get<0>(described).member); }

    static void write(const Row& row, std::vector<SqlValue>& values) {
        values.clear();
        for_each_field(
            row, [&](std::string_view, const auto& member) { values.push_back(to_sql(member)); });
    }
    static void read(const SqlRow& from, Row& row) {
        int column = 0;
        for_each_field(row,
                       [&](std::string_view, auto& member) { from_sql(from, column++, member); });
    }

private:
    template <class T>
    static constexpr Column column(const Field<Row, T>& field) {
        return {field.name, column_type<T>(), IsOptional<T>::value};
    }
};

}  // namespace daybook::detail
