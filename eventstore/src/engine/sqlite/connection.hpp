#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/sql.hpp"
#include "values/fork_mark.hpp"
#include "values/text_hash.hpp"

namespace daybook::sqlite {

class Connection;

/// A prepared statement that is kept. Thin over the C API: this is the hot path.
class Statement {
public:
    /// Throws InvalidError unless `sql` is one statement.
    Statement(Connection& connection, std::string_view sql);
    ~Statement() { sqlite3_finalize(handle_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_, index, value)); }
    void bind(int index, Position value) { bind(index, static_cast<std::int64_t>(value.value())); }
    void bind(int index, Version value) { bind(index, static_cast<std::int64_t>(value.value())); }
    /// Text and ids are borrowed until `reset`.
    void bind(int index, std::string_view value) {
        check(sqlite3_bind_text64(handle_, index, value.data() == nullptr ? "" : value.data(),
                                  value.size(), SQLITE_STATIC, SQLITE_UTF8));
    }
    void bind(int index, const EventId& value) {
        check(
            sqlite3_bind_blob(handle_, index, value.bytes().data(), EventId::size, SQLITE_STATIC));
    }
    void bind_null(int index) { check(sqlite3_bind_null(handle_, index)); }
    void bind(int index, const SqlValue& value);

    /// True if there is a row. Throws the typed error; the statement is reset then.
    bool step();
    /// The same with the raw result code for those who want to look at it, and who know that the
    /// transaction is open.
    int try_step() noexcept { return sqlite3_step(handle_); }
    void reset() noexcept { sqlite3_reset(handle_); }
    bool busy() const noexcept { return sqlite3_stmt_busy(handle_) != 0; }

    std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
    std::string_view text(int column) const;
    /// Nil for NULL; CorruptError if it is not 16 bytes.
    EventId id(int column) const;
    bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

    sqlite3_stmt* handle() const noexcept { return handle_; }
    int parameters() const noexcept { return sqlite3_bind_parameter_count(handle_); }

private:
    void check(int code);

    Connection& connection_;
    sqlite3_stmt* handle_ = nullptr;
};

/// Resets a statement at the end of the scope, so that it never keeps a read transaction open.
class Resetting {
public:
    explicit Resetting(Statement& statement) noexcept : statement_(statement) {}
    ~Resetting() { statement_.reset(); }
    Resetting(const Resetting&) = delete;
    Resetting& operator=(const Resetting&) = delete;

private:
    Statement& statement_;
};

/// What a connection is for.
enum class Access {
    create,  ///< writes, and makes the file if it is not there
    write,
    read,  ///< writes nothing; the file may be one that the program cannot write
};

/// One connection to one file, with its statements kept. Used by one thread at a time. It does not
/// checkpoint by itself: see Checkpointer.
///
/// SQLite ends a transaction by itself after some errors (a full disk, INSERT OR ROLLBACK), and
/// what follows would be stored at once, each statement alone. A connection whose transaction was
/// begun with `begin` notices that: everything but `rollback` throws the first error again.
class Connection {
public:
    /// `path` is absolute, so that SQLite sees a file's name in it and no URI. Throws StorageError
    /// if the file cannot be opened, or not be written where that is asked for.
    Connection(const std::string& path, Access access, std::chrono::milliseconds busy_wait_max);
    /// In a child after `fork` the handle is left as it is: to close it would be wrong.
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* handle() const noexcept { return database_->getHandle(); }
    const std::string& path() const noexcept { return path_; }

    /// The kept statement for this text, ready to be bound, for as long as the connection. For
    /// texts that are constants.
    Statement& statement(std::string_view sql);
    /// The same of any text; the statements used last are kept.
    std::shared_ptr<Statement> variable_statement(std::string_view sql);
    /// Runs statements that need no parameters and give no rows.
    void run(const std::string& sql);
    std::int64_t integer(std::string_view sql);
    std::string text(std::string_view sql);

    /// From now on each commit goes into the write-ahead log, which the file has, with one write.
    void gather_commits() noexcept { gathers_commits_ = true; }

    enum class Begin { deferred, immediate };
    void begin(Begin how);
    /// Commits what `begin` began. Throws its first error if SQLite has ended it.
    void commit();
    /// The result code of COMMIT: SQLITE_OK, or the transaction is whatever SQLite has left of it.
    int try_commit();
    /// Rolls back if a transaction is open; the first error is what matters, not this one's. If
    /// that fails, the connection is not trusted any more: the transaction ends with it.
    void rollback() noexcept;
    bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }
    /// Throws if SQLite has ended the transaction, and in a child after `fork`.
    void require_open() const {
        if (first_error_) std::rethrow_exception(first_error_);
        fork_mark_.refuse_child(path_);
    }
    /// Throws InvalidError if a statement that was no error has ended the transaction.
    void require_still_open(std::string_view statement);

    /// Throws the typed error for a result code; `what` names the thing that failed.
    [[noreturn]] void fail(int code, std::string_view what);

    /// False after an error that another connection may not have: of the disk, of memory, of
    /// rights, or of what was read.
    bool trusted() const noexcept { return trusted_; }
    /// One failed read looks like a damaged file. What cannot be right is StorageError, until a
    /// connection that takes a second look finds the same: then it is CorruptError.
    void take_second_look(bool second) noexcept { second_look_ = second; }
    /// It reads a file that could have no write-ahead log, and now there is one.
    bool is_outdated() const;
    /// Whether the next connection is to take one.
    bool suspects_damage() const noexcept { return suspects_damage_; }

    /// While it lives, what is prepared came through the SQL door: it may not begin or end
    /// transactions or open other files, and of savepoints only those of the store.
    class Program {
    public:
        explicit Program(Connection& connection) noexcept : connection_(connection) {
            connection_.of_program_ = true;
        }
        ~Program() { connection_.of_program_ = false; }
        Program(const Program&) = delete;
        Program& operator=(const Program&) = delete;

    private:
        Connection& connection_;
    };

    /// The last connection of all processes then copies the write-ahead log into the file when it
    /// is closed, and empties it.
    void empty_log_on_close() noexcept;

private:
    using Kept = detail::ByText<std::shared_ptr<Statement>>;

    static int on_busy(void* self, int count) noexcept;
    static int authorize(void* self, int action, const char* first, const char* second,
                         const char* database, const char* trigger) noexcept;
    void open_read_only();
    void configure();

    /// Half of what is kept of a program's texts.
    static constexpr std::size_t variable_statements_max = 256;

    const detail::ForkMark fork_mark_;
    const std::string path_;
    const std::chrono::milliseconds busy_wait_max_;
    const bool reads_only_;
    std::chrono::steady_clock::time_point busy_since_{};
    std::unique_ptr<SQLite::Database> database_;
    detail::ByText<std::unique_ptr<Statement>> statements_;
    Kept used_;                       ///< since they were that many
    Kept used_before_;                ///< the ones before them
    std::string log_frames_;          ///< of one commit
    std::exception_ptr first_error_;  ///< of the transaction that SQLite has ended
    bool gathers_commits_ = false;
    bool begun_ = false;
    bool trusted_ = true;
    bool second_look_ = false;
    bool suspects_damage_ = false;
    bool of_program_ = false;
    bool immutable_ = false;
};

inline void Statement::check(int code) {
    if (code != SQLITE_OK) connection_.fail(code, sqlite3_sql(handle_));
}

/// Everything read while it lives is of one state of the database. Joins the transaction that is
/// open, if there is one.
class ReadTransaction {
public:
    explicit ReadTransaction(Connection& connection);
    ~ReadTransaction();
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;

private:
    Connection& connection_;
    Statement* end_ = nullptr;  ///< none if the transaction is somebody else's
};

/// The general SQL door over a connection.
class ConnectionSql final : public Sql {
public:
    explicit ConnectionSql(Connection& connection) noexcept : connection_(&connection) {}

    /// From here on over another connection to the same file.
    void use(Connection& connection) noexcept { connection_ = &connection; }
    Connection& connection() const noexcept { return *connection_; }

    std::int64_t execute(std::string_view statement, Parameters parameters) override;
    std::int64_t query(std::string_view statement, Parameters parameters,
                       const Visitor& visit) override;
    void script(std::string_view statements) override;
    std::vector<SqlRelation> relations() override;
    std::vector<std::string> columns(std::string_view table) override;

private:
    std::shared_ptr<Statement> prepare(std::string_view statement);

    Connection* connection_;
};

}  // namespace daybook::sqlite
