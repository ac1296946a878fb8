#include "engine/sqlite/model_move.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

#include "daybook/core/error.hpp"

namespace daybook::sqlite {

namespace {

constexpr std::string_view table_prefix = "table ";
constexpr std::string_view view_prefix = "view ";

/// A row of the model's `sqlite_schema`.
struct SchemaObject {
    std::string type;
    std::string name;
    std::string sql;
    bool is_virtual = false;
};

std::string quoted_text(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted.append(c == '\'' ? 2 : 1, c);
    return quoted + "'";
}

std::vector<SchemaObject> objects_of_model(Sql& store) {
    std::vector<SchemaObject> objects;
    store.each(
        "SELECT type, name, sql, type = 'table' AND rootpage = 0 FROM daybook_model.sqlite_schema "
        "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~' "
        "AND tbl_name NOT LIKE 'daybook~_%' ESCAPE '~' ORDER BY rowid",
        [&](const SqlRow& row) {
            objects.push_back({std::string(row.text(0)), std::string(row.text(1)),
                               std::string(row.text(2)), row.integer(3) != 0});
        });
    return objects;
}

/// The columns of a table without the generated ones. The row id comes first, if the table has one
/// that is not a column already and that no column hides.
std::string stored_columns(Sql& store, const std::string& table) {
    std::vector<std::string> names;
    std::string columns;
    std::optional<std::string> key_type;
    int key_columns = 0;
    store.each(
        "SELECT name, hidden, pk, upper(type) FROM pragma_table_xinfo(?, 'daybook_model')",
        [&](const SqlRow& row) {
            std::string name{row.text(0)};
            if (row.integer(2) > 0) {
                ++key_columns;
                key_type = row.text(3);
            }
            if (row.integer(1) == 0) {
                columns += (columns.empty() ? "" : ", ") + quoted_name(name);
            }
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return std::tolower(c); });
            names.push_back(std::move(name));
        },
        table);
    const bool key_is_row_id = key_columns == 1 && key_type == "INTEGER";
    const bool has_row_id = store.integer(
                                "SELECT wr FROM pragma_table_list WHERE schema = 'daybook_model' "
                                "AND name = ?",
                                table) == 0;
    if (!has_row_id || key_is_row_id) return columns;
    for (const char* alias : {"rowid", "_rowid_", "oid"}) {
        if (std::find(names.begin(), names.end(), alias) == names.end()) {
            return std::string(alias) + ", " + columns;
        }
    }
    return columns;
}

void copy_rows(Sql& store, const std::string& table) {
    const std::string columns = stored_columns(store, table);
    const std::string name = quoted_name(table);
    store.script("INSERT INTO main." + name + "(" + columns + ") SELECT " + columns +
                 " FROM daybook_model." + name);
}

/// Copies the counters of AUTOINCREMENT: a number that was used must not be used again, even if its
/// row is gone.
void copy_sequences(Sql& store) {
    if (!store.integer("SELECT 1 FROM daybook_model.sqlite_schema "
                       "WHERE name = 'sqlite_sequence'")) {
        return;
    }
    store.script(
        "DELETE FROM main.sqlite_sequence "
        "WHERE name IN (SELECT name FROM daybook_model.sqlite_sequence);"
        "INSERT INTO main.sqlite_sequence SELECT * FROM daybook_model.sqlite_sequence");
}

/// Inserts the virtual tables into the schema by hand. Their shadow tables are copied already, and
/// CREATE VIRTUAL TABLE would try to create these as well.
void register_virtual_tables(Sql& store) {
    const auto version = store.integer("PRAGMA main.schema_version").value_or(0);
    store.script(
        "PRAGMA writable_schema = ON;"
        "INSERT INTO main.sqlite_schema(type, name, tbl_name, rootpage, sql) "
        "SELECT type, name, tbl_name, 0, sql FROM daybook_model.sqlite_schema "
        "WHERE type = 'table' AND rootpage = 0 ORDER BY rowid;"
        // Other connections read the schema again because its version has changed, this connection
        // because of RESET.
        "PRAGMA main.schema_version = " +
        std::to_string(version + 1) + ";PRAGMA writable_schema = RESET");
}

void refuse_bad_names(Sql& store, const std::vector<SchemaObject>& objects) {
    for (const SchemaObject& object : objects) {
        if (object.name.find('\n') != std::string::npos) {
            throw InvalidError(object.type + " '" + object.name +
                               "' has a line break in its name: choose another name");
        }
        if (!store.integer("SELECT 1 FROM main.sqlite_schema WHERE name = ? COLLATE NOCASE",
                           object.name)) {
            continue;
        }
        throw InvalidError(object.type + " '" + object.name +
                           "' already exists in the store, made by another model or program: "
                           "choose another name");
    }
}

}  // namespace

std::vector<std::string> copy_model(const std::string& path, ConnectionSql& store) {
    // On the connection itself: SQL of programs must not attach files.
    store.connection().run("ATTACH " + quoted_text(path) + " AS daybook_model");
    const std::vector<SchemaObject> objects = objects_of_model(store);
    refuse_bad_names(store, objects);
    // Tables are filled one after another, and a row may refer to one of a later table.
    store.script("PRAGMA defer_foreign_keys = ON");
    std::vector<std::string> copied;
    std::vector<std::string> tables;
    for (const SchemaObject& object : objects) {
        if (object.type != "table" || object.is_virtual) continue;
        store.script(object.sql);
        tables.push_back(object.name);
    }
    // After all tables are created, because a table may refer to a later one.
    for (const std::string& table : tables) copy_rows(store, table);
    copy_sequences(store);
    const auto run = [&](std::string_view type) {
        for (const SchemaObject& object : objects) {
            if (object.type == type) store.script(object.sql);
        }
    };
    run("index");
    const bool has_virtual =
        std::any_of(objects.begin(), objects.end(),
                    [](const SchemaObject& object) { return object.is_virtual; });
    if (has_virtual) register_virtual_tables(store);
    run("view");
    run("trigger");
    for (const SchemaObject& object : objects) {
        if (object.type == "table") copied.push_back(std::string(table_prefix) + object.name);
        if (object.type == "view") copied.push_back(std::string(view_prefix) + object.name);
    }
    return copied;
}

void drop_model(const std::vector<std::string>& objects, Sql& store) {
    store.script("PRAGMA defer_foreign_keys = ON");
    const auto name_of = [](const std::string& object) {
        return object.substr(object.find(' ') + 1);
    };
    for (const std::string& object : objects) {
        if (object.starts_with(view_prefix)) {
            store.script("DROP VIEW IF EXISTS main." + quoted_name(name_of(object)));
        }
    }
    // Virtual tables first: dropping one drops its shadow tables, and without these it could not be
    // dropped any more.
    for (const bool drops_virtual : {true, false}) {
        for (const std::string& object : objects) {
            if (!object.starts_with(table_prefix)) continue;
            const bool is_virtual = store
                                        .integer(
                                            "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' "
                                            "AND name = ? AND rootpage = 0",
                                            name_of(object))
                                        .has_value();
            if (is_virtual != drops_virtual) continue;
            store.script("DROP TABLE IF EXISTS main." + quoted_name(name_of(object)));
        }
    }
}

void detach_model(Connection& connection) {
    if (sqlite3_db_filename(connection.handle(), "daybook_model") == nullptr) return;
    connection.run("DETACH daybook_model");
}

}  // namespace daybook::sqlite
