#include "engine/sqlite/store_file.hpp"

#include <filesystem>
#include <thread>

#include "daybook/core/error.hpp"
#include "daybook/schema/migrations.hpp"
#include "engine/sqlite/file_guard.hpp"
#include "engine/sqlite/pragmas.hpp"

namespace daybook::sqlite {

namespace {

/// "DayB": marks an SQLite file as a Daybook store.
constexpr std::int64_t application_id = 0x44617942;

void check_path(const std::string& path, bool create) {
    const std::filesystem::path file{path};
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) {
        throw InvalidError("store '" + path + "' is a directory: name a file in it");
    }
    if (std::filesystem::exists(file, ignored)) return;
    const auto directory = file.has_parent_path() ? file.parent_path() : ".";
    if (!create) {
        throw NotFoundError("store '" + path + "' does not exist: check the name");
    }
    if (!std::filesystem::is_directory(directory, ignored)) {
        throw NotFoundError("store '" + path + "': there is no directory '" + directory.string() +
                            "': make it first");
    }
}

bool is_blank(Connection& connection) {
    return connection.integer("SELECT count(*) FROM sqlite_schema") == 0;
}

std::int64_t schema_version(Connection& connection) {
    return connection.integer("PRAGMA user_version");
}

const detail::Migration& newest_migration() {
    static const detail::Migration newest = detail::migrations("sqlite").back();
    return newest;
}

bool has_current_schema(Connection& connection) {
    check_schema_version(connection);
    return schema_version(connection) == newest_migration().number;
}

/// Whether it is a store of this version in WAL mode, so that nothing is left to do.
bool is_current(Connection& connection) {
    return has_current_schema(connection) && connection.text("PRAGMA journal_mode") == "wal";
}

void apply_migrations(Connection& connection) {
    const auto steps = detail::migrations("sqlite");
    const std::int64_t newest = steps.back().number;
    check_schema_version(connection);
    if (schema_version(connection) == newest) return;
    connection.begin(Connection::TransactionType::immediate);
    try {
        const std::int64_t done = schema_version(connection);
        for (const detail::Migration& step : steps) {
            if (step.number > done) connection.run(step.sql);
        }
        connection.run("PRAGMA application_id = " + std::to_string(application_id));
        connection.run("PRAGMA user_version = " + std::to_string(newest));
        connection.commit();
    } catch (...) {
        connection.rollback();
        throw;
    }
}

}  // namespace

void enable_wal(Connection& connection, std::chrono::steady_clock::time_point deadline) {
    const auto has_wal = [&] {
        // After a failed change SQLite returns the new mode until it reads the file again, so this
        // reads it first.
        schema_version(connection);
        return connection.text("PRAGMA journal_mode") == "wal";
    };
    while (!has_wal()) {
        try {
            if (connection.text("PRAGMA journal_mode = WAL") == "wal") return;
            throw StorageError(connection.path() +
                               " cannot use a write-ahead log: put it on a local file system");
        } catch (const UnavailableError&) {
            if (std::chrono::steady_clock::now() >= deadline) throw;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }
}

namespace {

std::unique_ptr<Connection> open_for_reading(const std::string& path, const StoreOptions& options) {
    return std::make_unique<Connection>(path, Access::read, options.busy_wait_max);
}

/// Opens the file for writing if that is possible, otherwise for reading.
std::unique_ptr<Connection> open_file(const std::string& path, const StoreOptions& options) {
    std::unique_ptr<Connection> connection;
    try {
        connection = std::make_unique<Connection>(
            path, options.create ? Access::create : Access::write, options.busy_wait_max);
        // The first read opens the write-ahead log, for which the directory has to be writable.
        connection->integer("PRAGMA application_id");
        return connection;
    } catch (const StorageError&) {
        connection.reset();
        if (!std::filesystem::exists(path)) throw;
        return open_for_reading(path, options);
    }
}

void check_application(Connection& connection, const std::string& path) {
    if (connection.integer("PRAGMA application_id") == application_id || is_blank(connection)) {
        return;
    }
    throw InvalidError("'" + path +
                       "' is an SQLite database but not a Daybook store: name another file");
}

void prepare(Connection& connection, const std::string& path, const StoreOptions& options) {
    check_application(connection, path);
    if (is_current(connection)) return;
    if (sqlite3_db_readonly(connection.handle(), "main") == 1) {
        if (has_current_schema(connection)) return;
        throw StorageError("store '" + path +
                           "' is not one of this version and cannot be written: open it once with "
                           "the right to write it");
    }
    connection.run("PRAGMA page_size = " + std::to_string(page_bytes));
    set_durability(connection, options.durability);
    enable_wal(connection, std::chrono::steady_clock::now() + options.busy_wait_max);
    apply_migrations(connection);
}

/// SQLite created the log and its index with the rights of the store at that time. If the store
/// grants fewer rights now, these files must not grant more.
void keep_log_private(const std::string& path) {
    for (const char* part : {"-wal", "-shm"}) keep_as_private(path + part, path);
}

}  // namespace

std::string prepare_store_file(const std::string& path, const StoreOptions& options) {
    if (path.find('\0') != std::string::npos) {
        throw InvalidError("store '" + path + "': the name of a file holds no zero byte");
    }
    check_path(path, options.create);
    // SQLite reads some relative names as URIs, an absolute one never.
    const std::string absolute = std::filesystem::absolute(path).string();
    try {
        prepare(*open_file(absolute, options), path, options);
    } catch (const StorageError&) {
        // A read that fails once looks like a file of another kind, so it is tried once more.
        const auto connection = open_file(absolute, options);
        connection->confirm_damage(true);
        prepare(*connection, path, options);
    }
    std::error_code unknown;
    const auto file = std::filesystem::canonical(absolute, unknown);
    std::string name = unknown ? absolute : file.string();
    keep_log_private(name);
    return name;
}

void check_schema_version(Connection& connection) {
    detail::refuse_newer_schema(connection.path(), schema_version(connection), newest_migration());
}

}  // namespace daybook::sqlite
