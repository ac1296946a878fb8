#include "sqlite/store_file.hpp"

#include <filesystem>
#include <thread>

#include "daybook/core/error.hpp"
#include "daybook/schema/migrations.hpp"
#include "sqlite/pragmas.hpp"

namespace daybook::sqlite {

namespace {

/// "DayB": marks an SQLite file as a store of ours.
constexpr std::int64_t application_id = 0x44617942;
/// Measured against 4 KiB: somewhat more to write for a single event, clearly less for many.
constexpr int page_bytes = 8192;

void check_place(const std::string& path, bool create) {
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

void apply_migrations(Connection& connection) {
    const auto steps = migrations("sqlite");
    const std::int64_t newest = steps.back().number;
    check_schema_version(connection);
    if (schema_version(connection) == newest) return;
    connection.run("BEGIN IMMEDIATE");
    try {
        const std::int64_t done = schema_version(connection);
        for (const Migration& step : steps) {
            if (step.number > done) connection.run(std::string(step.sql));
        }
        connection.run("PRAGMA application_id = " + std::to_string(application_id));
        connection.run("PRAGMA user_version = " + std::to_string(newest));
        connection.run("COMMIT");
    } catch (...) {
        connection.rollback();
        throw;
    }
}

}  // namespace

void enable_wal(Connection& connection, std::chrono::steady_clock::time_point deadline) {
    while (connection.text("PRAGMA journal_mode") != "wal") {
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

void prepare_store_file(const std::string& path, const EngineOptions& options) {
    check_place(path, options.create);
    Connection connection{path, options.create, options.busy_wait_max};
    if (connection.integer("PRAGMA application_id") != application_id && !is_blank(connection)) {
        throw InvalidError("'" + path +
                           "' is an SQLite database but not a Daybook store: name another file");
    }
    connection.run("PRAGMA page_size = " + std::to_string(page_bytes));
    set_durability(connection, options.durability);
    enable_wal(connection, std::chrono::steady_clock::now() + options.busy_wait_max);
    apply_migrations(connection);
}

void check_schema_version(Connection& connection) {
    static const Migration newest = migrations("sqlite").back();
    refuse_newer_schema(connection.path(), schema_version(connection), newest);
}

}  // namespace daybook::sqlite
