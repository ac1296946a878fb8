#include "daybook/projections/row_table.hpp"

namespace daybook::detail {

namespace {

/// Type names that all engines accept. SQLite ignores most of them and stores each value as given.
std::string_view type_name(ColumnType type) {
    switch (type) {
        case ColumnType::integer: return "BIGINT";
        case ColumnType::real: return "DOUBLE PRECISION";
        case ColumnType::text: return "TEXT";
        case ColumnType::blob: return "BYTEA";
    }
    return "";
}

}  // namespace

RowStatements::RowStatements(std::string_view table, std::span<const Column> columns) {
    std::string definitions;
    std::string names;
    std::string places;
    std::string updates;
    for (const Column& column : columns) {
        const bool is_key = &column == columns.data();
        const std::string separator = is_key ? "" : ", ";
        const std::string name = quoted_name(column.name);
        definitions += separator + name + ' ' + std::string(type_name(column.type));
        if (!column.nullable) definitions += " NOT NULL";
        if (is_key) definitions += " PRIMARY KEY";
        names += separator + name;
        places += separator + '?';
        if (is_key) continue;
        updates += (updates.empty() ? "" : ", ") + name + " = excluded." + name;
    }
    const std::string key = quoted_name(columns.front().name);
    const std::string of_table = quoted_name(table);
    create = "CREATE TABLE " + of_table + "(" + definitions + ");";
    select = "SELECT " + names + " FROM " + of_table + " WHERE " + key + " = ?";
    upsert = "INSERT INTO " + of_table + "(" + names + ") VALUES(" + places + ") ON CONFLICT(" +
             key + ") DO " + (updates.empty() ? "NOTHING" : "UPDATE SET " + updates);
    erase = "DELETE FROM " + of_table + " WHERE " + key + " = ?";
    first = "SELECT 1 FROM " + of_table + " LIMIT 1";
}

}  // namespace daybook::detail
