#include "backup.hpp"

#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace daybook::test {

namespace {

/// A plain SQLite connection to a file that a store may have open.
class File {
public:
    explicit File(const std::string& path) {
        require(sqlite3_open(path.c_str(), &handle_));
        require(sqlite3_busy_timeout(handle_, 60'000));
    }
    ~File() { sqlite3_close(handle_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    void run(const std::string& sql) {
        require(sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
    }
    void fill_from(File& source) {
        sqlite3_backup* const copy = sqlite3_backup_init(handle_, "main", source.handle_, "main");
        if (copy == nullptr) require(sqlite3_errcode(handle_));
        int code = sqlite3_backup_step(copy, -1);
        while (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
            sqlite3_sleep(1);
            code = sqlite3_backup_step(copy, -1);
        }
        require(sqlite3_backup_finish(copy));
    }

private:
    void require(int code) {
        if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(handle_));
    }

    sqlite3* handle_ = nullptr;
};

std::string schema_of(const StoreLocation& location) {
    const std::string& uri = location.uri();
    return uri.substr(uri.rfind("schema=") + 7);
}

/// Replaces the rows of all tables of the schema `to` by those of the schema `from`.
void copy_rows(PostgresConnection& server, const std::string& from, const std::string& to) {
    // With this role foreign keys are not checked, so the tables can be filled in any order.
    const auto tables = server.query(
        "SELECT table_name, string_agg(column_name, ', ') FROM "
        "information_schema.columns JOIN information_schema.tables "
        "USING(table_schema, table_name) WHERE table_type = 'BASE TABLE' AND "
        "is_generated = 'NEVER' AND table_schema = '" +
        from + "' GROUP BY table_name");
    std::string all;
    for (const auto& row : tables) all += (all.empty() ? "" : ", ") + to + "." + row.at(0);
    server.query("SET session_replication_role = replica; TRUNCATE " + all);
    for (const auto& row : tables) {
        const std::string& table = row.at(0);
        const std::string& columns = row.at(1);
        server.query("INSERT INTO " + to + "." + table + "(" + columns +
                     ") OVERRIDING SYSTEM VALUE SELECT " + columns + " FROM " + from + "." + table);
    }
    for (const auto& row :
         server.query("SELECT table_name, column_name FROM information_schema.columns "
                      "WHERE is_identity = 'YES' AND table_schema = '" +
                      from + "'")) {
        const std::string at = row.at(0) + "', '" + row.at(1) + "')";
        server.query("SELECT setval(pg_get_serial_sequence('" + to + "." + at +
                     ", (SELECT COALESCE(max(" + row.at(1) + "), 0) + 1 FROM " + to + "." +
                     row.at(0) + "), false)");
    }
}

void rename(const StoreLocation& location, const std::string& from, const std::string& to) {
    const std::string change = from + " RENAME TO " + to;
    if (on_postgres()) {
        PostgresConnection{postgres_uri()}.query("ALTER TABLE " + schema_of(location) + "." +
                                                 change);
    } else {
        File{location.uri()}.run("ALTER TABLE " + change);
    }
}

}  // namespace

Backup::Backup(const StoreLocation& source) : copy_(std::make_unique<StoreLocation>()) {
    source.open();
    copy_->open();
    if (on_postgres()) {
        PostgresConnection server{postgres_uri()};
        copy_rows(server, schema_of(source), schema_of(*copy_));
    } else {
        File from{source.uri()};
        File{copy_->uri()}.fill_from(from);
    }
}

Backup::~Backup() = default;

void Backup::restore_to(const StoreLocation& location) {
    if (on_postgres()) {
        PostgresConnection server{postgres_uri()};
        server.query("SET client_min_messages = warning; BEGIN; DROP SCHEMA " +
                     schema_of(location) + " CASCADE; ALTER SCHEMA " + schema_of(*copy_) +
                     " RENAME TO " + schema_of(location) + "; COMMIT");
    } else {
        File from{copy_->uri()};
        File{location.uri()}.fill_from(from);
    }
}

void hide_table(const StoreLocation& location, const std::string& table) {
    rename(location, table, table + "_away");
}

void show_table(const StoreLocation& location, const std::string& table) {
    rename(location, table + "_away", table);
}

}  // namespace daybook::test
