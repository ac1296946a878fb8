#include "engine/sqlite/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "daybook/core/denied_error.hpp"
#include "daybook/core/error.hpp"
#include "engine/sqlite/gathered_commit.hpp"

namespace daybook::sqlite {

namespace {

std::string describe(sqlite3* database, int code, std::string_view what) {
    std::string text = "sqlite: ";
    text += what;
    text += ": ";
    text += database != nullptr && sqlite3_extended_errcode(database) == code
                ? sqlite3_errmsg(database)
                : sqlite3_errstr(code);
    return text;
}

bool is_damage(int code) noexcept {
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/// Whether the error may be one of this connection, which a new one would not meet again.
bool is_connection_error(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PROTOCOL:
        case SQLITE_NOMEM: return true;
        default: return is_damage(code);
    }
}

/// Whether this process lacks the rights that a store needs: to read and write its file, and to
/// create other files in its directory.
bool lacks_right(const std::string& path) {
    const auto refuses = [](const std::string& name, int mode) {
        return ::faccessat(AT_FDCWD, name.c_str(), mode, AT_EACCESS) != 0 &&
               (errno == EACCES || errno == EPERM);
    };
    return refuses(path, R_OK | W_OK) ||
           refuses(std::filesystem::path{path}.parent_path().string(), W_OK | X_OK);
}

[[noreturn]] void throw_error(int code, const std::string& text, const std::string& path) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw UnavailableError(text + ": another process is writing; try again");
        case SQLITE_NOMEM: throw UnavailableError(text + ": free memory and try again");
        case SQLITE_FULL: throw StorageError(text + ": free space on the disk and try again");
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            if (lacks_right(path)) {
                throw DeniedError(text +
                                  ": give the program the right to write the file and to "
                                  "make others in its directory");
            }
            [[fallthrough]];
        case SQLITE_IOERR:
        case SQLITE_PROTOCOL:
            throw StorageError(text + ": check the disk and the rights on file and directory");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: throw CorruptError(text + ": restore it from a backup");
        case SQLITE_AUTH:
            throw InvalidError(text +
                               ": begin, end and set up the transaction by the store's "
                               "own calls, not in SQL");
        case SQLITE_INTERRUPT: throw CancelledError(text);
        default:
            // A table of the store's own is missing while another process restores a backup into
            // the file.
            if (text.find("no such table: daybook_") != std::string::npos) {
                throw UnavailableError(text + ": the store is being restored: try again");
            }
            throw InvalidError(text);
    }
}

SQLite::Database* open_database(const std::string& path, int flags, std::string_view what) {
    // SQLite reads the file's header here. A read can fail once and succeed the next time.
    for (int attempt = 1;; ++attempt) {
        try {
            return new SQLite::Database{path, flags | SQLite::OPEN_NOMUTEX};
        } catch (const SQLite::Exception& error) {
            const int code = error.getExtendedErrorCode();
            if (attempt == 1 && (code & 0xff) == SQLITE_IOERR) continue;
            throw_error(code, describe(nullptr, code, std::string(what) + " cannot be opened"),
                        std::string(what));
        }
    }
}

int flags_for(Access access) {
    return SQLite::OPEN_READWRITE | (access == Access::create ? SQLite::OPEN_CREATE : 0);
}

/// The URI of a file that no process writes while it is read.
std::string immutable_uri(std::string_view path) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string uri = "file:";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-' || c == '_';
        if (plain) {
            uri += c;
        } else {
            uri += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return uri + "?immutable=1";
}

bool is_writable_directory(const std::string& directory) {
    return ::faccessat(AT_FDCWD, directory.c_str(), W_OK, AT_EACCESS) == 0;
}

bool is_missing_or_empty(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error || size == 0;
}

/// Whether the rest of a text is only white space, comments and semicolons.
bool holds_no_statement(sqlite3* database, const char* rest, const char* end) {
    while (rest < end) {
        sqlite3_stmt* next = nullptr;
        const int code =
            sqlite3_prepare_v2(database, rest, static_cast<int>(end - rest), &next, &rest);
        sqlite3_finalize(next);
        if (code != SQLITE_OK || next != nullptr) return false;
    }
    return true;
}

}  // namespace

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
    sqlite3* const database = connection.handle();
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle_, &rest);
    if (code != SQLITE_OK) connection.fail(sqlite3_extended_errcode(database), sql);
    if (handle_ == nullptr) {
        throw InvalidError("sqlite: '" + std::string(sql) + "' holds no statement");
    }
    if (!holds_no_statement(database, rest, sql.data() + sql.size())) {
        sqlite3_finalize(handle_);
        throw InvalidError("sqlite: '" + std::string(sql) +
                           "' holds more than one statement: run each by itself, or all as a "
                           "script");
    }
}

void Statement::bind(int index, const SqlValue& value) {
    const auto& data = value.data();
    if (const auto* integer = std::get_if<std::int64_t>(&data)) {
        bind(index, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&data)) {
        bind(index, *text);
    } else if (const auto* real = std::get_if<double>(&data)) {
        check(sqlite3_bind_double(handle_, index, *real));
    } else if (const auto* bytes = std::get_if<SqlValue::Bytes>(&data)) {
        check(sqlite3_bind_blob64(
            handle_, index,
            bytes->data() == nullptr ? reinterpret_cast<const void*>("") : bytes->data(),
            bytes->size(), SQLITE_STATIC));
    } else {
        bind_null(index);
    }
}

bool Statement::step() {
    connection_.require_open();
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    // The reset clears the error's text, so `fail` has to read it before.
    struct ResetAfter {
        Statement& statement;
        ~ResetAfter() { statement.reset(); }
    } const reset_after{*this};
    connection_.fail(sqlite3_extended_errcode(sqlite3_db_handle(handle_)), sqlite3_sql(handle_));
}

Connection::Connection(const std::string& path, Access access,
                       std::chrono::milliseconds busy_wait_max)
    : path_(path),
      busy_wait_max_(busy_wait_max),
      reads_only_(access == Access::read),
      database_(open_database(path, flags_for(access), path)) {
    const bool read_only = sqlite3_db_readonly(handle(), "main") == 1;
    if (read_only && access != Access::read) {
        const std::string text = path + " is read-only: give the program the right to write it";
        if (lacks_right(path)) throw DeniedError(text);
        throw StorageError(text);
    }
    configure();
    if (access == Access::read) open_read_only();
}

Connection::~Connection() {
    if (!fork_mark_.is_in_child()) return;
    // The handles are leaked on purpose. Closing them would release the parent's locks on the file
    // and could checkpoint its write-ahead log.
    static_cast<void>(new auto(std::move(statements_)));
    static_cast<void>(new auto(std::move(recent_statements_)));
    static_cast<void>(new auto(std::move(older_statements_)));
    static_cast<void>(database_.release());
}

void Connection::open_read_only() {
    const int code =
        sqlite3_exec(handle(), "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
    const bool cannot_open = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY;
    const bool no_log_possible =
        cannot_open && !is_writable_directory(std::filesystem::path{path_}.parent_path());
    if (!no_log_possible || !is_missing_or_empty(path_ + "-wal")) return;
    // No write-ahead log can be created in this directory, and there is none that has to be read.
    database_.reset(
        open_database(immutable_uri(path_), SQLite::OPEN_READONLY | SQLite::OPEN_URI, path_));
    immutable_ = true;
    configure();
}

bool Connection::is_outdated() const { return immutable_ && !is_missing_or_empty(path_ + "-wal"); }

void Connection::configure() {
    sqlite3_extended_result_codes(handle(), 1);
    sqlite3_busy_handler(handle(), &Connection::on_busy, this);
    sqlite3_wal_autocheckpoint(handle(), 0);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
    sqlite3_set_authorizer(handle(), &Connection::authorize, this);
}

void Connection::empty_log_on_close() noexcept {
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    // The empty log stays as a file: a process that may only read the store could not create it.
    int keep = 1;
    sqlite3_file_control(handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    sqlite3_exec(handle(), "PRAGMA journal_size_limit = 0", nullptr, nullptr, nullptr);
}

Statement& Connection::statement(std::string_view sql) {
    require_open();
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        found =
            statements_.emplace(std::string(sql), std::make_unique<Statement>(*this, sql)).first;
    }
    return *found->second;
}

std::shared_ptr<Statement> Connection::variable_statement(std::string_view sql) {
    require_open();
    const auto found = recent_statements_.find(sql);
    if (found != recent_statements_.end()) return found->second;
    if (recent_statements_.size() >= variable_statements_max) {
        older_statements_ = std::move(recent_statements_);
        recent_statements_.clear();
    }
    const auto before = older_statements_.find(sql);
    if (before != older_statements_.end()) {
        return recent_statements_.insert(older_statements_.extract(before)).position->second;
    }
    return recent_statements_.emplace(std::string(sql), std::make_shared<Statement>(*this, sql))
        .first->second;
}

void Connection::run(const std::string& sql) {
    require_open();
    const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(sqlite3_extended_errcode(handle()), path_ + ": " + sql);
}

std::int64_t Connection::integer(std::string_view sql) {
    Statement& query = statement(sql);
    const Resetting resetting{query};
    return query.step() ? query.integer(0) : 0;
}

std::string Connection::text(std::string_view sql) {
    Statement& query = statement(sql);
    const Resetting resetting{query};
    if (!query.step()) return {};
    std::string first{query.text(0)};
    // A PRAGMA commits its change in the last step, and that may fail.
    while (query.step()) continue;
    return first;
}

void Connection::begin(TransactionType type) {
    Statement& begin = statement(type == TransactionType::immediate ? "BEGIN IMMEDIATE" : "BEGIN");
    const Resetting resetting{begin};
    begin.step();
    own_transaction_ = true;
}

void Connection::commit() {
    require_open();
    const int code = try_commit();
    if (code != SQLITE_OK) fail(code, path_ + ": COMMIT");
}

int Connection::try_commit() {
    Statement& commit = statement("COMMIT");
    const Resetting resetting{commit};
    std::optional<GatheredCommit> gathered;
    if (gathers_commits_) gathered.emplace(handle(), log_frames_);
    if (commit.try_step() != SQLITE_DONE) return sqlite3_extended_errcode(handle());
    own_transaction_ = false;
    return SQLITE_OK;
}

void Connection::rollback() noexcept {
    own_transaction_ = false;
    first_error_ = nullptr;
    if (fork_mark_.is_in_child()) return;
    if (!in_transaction()) return;
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    // The rollback itself may fail for want of memory. A connection that stays in its transaction
    // would go on reading one old state of the store and could not begin another transaction, so it
    // has to be replaced.
    if (in_transaction()) usable_ = false;
}

void Connection::require_still_open(std::string_view statement) {
    if (!own_transaction_ || in_transaction()) return;
    first_error_ = std::make_exception_ptr(
        InvalidError("sqlite: '" + std::string(statement) +
                     "' has ended the transaction: leave that to the store"));
    std::rethrow_exception(first_error_);
}

void Connection::fail(int code, std::string_view what) {
    // A write that fails on a connection opened for reading says nothing about the disk.
    const bool was_forbidden = reads_only_ && code == SQLITE_READONLY;
    if (is_connection_error(code) && !was_forbidden) usable_ = false;
    try {
        const std::string text = describe(handle(), code, what);
        if (is_damage(code) && !confirms_damage_) {
            suspects_damage_ = true;
            throw StorageError(text +
                               ": a read that failed looks the same: try again, which looks a "
                               "second time");
        }
        throw_error(code, text, path_);
    } catch (...) {
        // After damage the transaction must not be committed either: what was read wrongly may
        // already be part of what it has written.
        if (own_transaction_ && !first_error_ && (!in_transaction() || is_damage(code))) {
            first_error_ = std::current_exception();
        }
        throw;
    }
}

int Connection::authorize(void* self, int action, const char* /*operation*/, const char* savepoint,
                          const char* /*database*/, const char* /*trigger*/) noexcept {
    if (!static_cast<Connection*>(self)->restricts_sql_) return SQLITE_OK;
    switch (action) {
        case SQLITE_TRANSACTION:
        case SQLITE_ATTACH:
        case SQLITE_DETACH: return SQLITE_DENY;
        case SQLITE_SAVEPOINT:
            return std::string_view{savepoint}.starts_with("daybook_") ? SQLITE_OK : SQLITE_DENY;
        default: return SQLITE_OK;
    }
}

ReadTransaction::ReadTransaction(Connection& connection) : connection_(connection) {
    if (connection.in_transaction()) return;
    Statement& end = connection.statement("COMMIT");
    Statement& begin = connection.statement("BEGIN");
    const Resetting resetting{begin};
    begin.step();
    end_ = &end;
}

ReadTransaction::~ReadTransaction() {
    if (end_ == nullptr) return;
    const bool ended = end_->try_step() == SQLITE_DONE;
    end_->reset();
    if (!ended) connection_.rollback();
}

int Connection::on_busy(void* self, int count) noexcept {
    // SQLite's own handler sleeps up to 100 ms. A busy second writer would take the lock hundreds
    // of times meanwhile, and this one would starve. Short waits of uneven length give all a turn.
    auto& connection = *static_cast<Connection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (count == 0) connection.busy_since_ = now;
    if (now - connection.busy_since_ >= connection.busy_wait_max_) return 0;
    const auto ticks = static_cast<std::uint64_t>(now.time_since_epoch().count());
    const std::uint64_t spread = 20 + (ticks * 0x9E3779B97F4A7C15ULL >> 58);
    const auto doublings = static_cast<unsigned>(std::min(count / 8, 4));
    std::this_thread::sleep_for(std::chrono::microseconds{spread << doublings});
    return 1;
}

}  // namespace daybook::sqlite
