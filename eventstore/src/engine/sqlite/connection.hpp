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

/// A prepared statement. A thin wrapper of the C API, because this is the hot path.
class Statement {
public:
    /// Throws InvalidError unless `sql` is exactly one statement.
    Statement(Connection& connection, std::string_view sql);
    ~Statement() { sqlite3_finalize(handle_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(handle_, index, value)); }
    void bind(int index, Position value) { bind(index, static_cast<std::int64_t>(value.value())); }
    void bind(int index, Version value) { bind(index, static_cast<std::int64_t>(value.value())); }
    /// Text and ids are borrowed until `reset`: they have to live that long.
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

    /// Returns true if there is a row. Throws the typed error, and resets the statement then.
    bool step();
    /// The same, but returns SQLite's result code. The caller makes sure that the transaction is
    /// still open: if SQLite has ended it, the statement would be stored alone, at once.
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

/// What a connection is used for.
enum class Access {
    create,  ///< writes, and creates the file if it does not exist
    write,
    read,  ///< reads only; the program may have no right to write the file
};

/// A connection to a file, with a cache of its prepared statements. Used by one thread at a time.
/// It does not checkpoint by itself: see Checkpointer.
///
/// SQLite ends a transaction by itself after some errors (a full disk, INSERT OR ROLLBACK). The
/// statements that follow would each be committed alone, at once, and half of a transaction would
/// be stored. A transaction that was begun with `begin` is guarded against this: after it was ended
/// so, every call but `rollback` throws the first error again.
class Connection {
public:
    /// `path` must be absolute: SQLite would read some relative names as URIs. Throws StorageError
    /// if the file cannot be opened, or cannot be written although `access` needs that.
    Connection(const std::string& path, Access access, std::chrono::milliseconds busy_wait_max);
    /// Closes nothing in the child of a fork: closing would release the locks of the parent.
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* handle() const noexcept { return database_->getHandle(); }
    const std::string& path() const noexcept { return path_; }

    /// The prepared statement of this text, ready to be bound. It is cached as long as the
    /// connection lives, so the text should be a constant.
    Statement& statement(std::string_view sql);
    /// The same for any text; only the statements that were used last are cached.
    std::shared_ptr<Statement> variable_statement(std::string_view sql);
    /// Runs one or more statements without parameters and without rows.
    void run(const std::string& sql);
    std::int64_t integer(std::string_view sql);
    std::string text(std::string_view sql);

    /// From now on each commit is written to the write-ahead log with one write (see
    /// GatheredCommit). The file has to be in WAL mode.
    void gather_commits() noexcept { gathers_commits_ = true; }

    enum class TransactionType { deferred, immediate };
    void begin(TransactionType type);
    /// Commits the transaction. Throws its first error if SQLite has ended it.
    void commit();
    /// The same, but returns the result code of COMMIT. If that is not SQLITE_OK, the transaction
    /// may be open or ended; the caller has to roll back.
    int try_commit();
    /// Rolls back if a transaction is open. If that fails, the connection is no longer usable: it
    /// has to be closed, which ends the transaction.
    void rollback() noexcept;
    bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }
    /// Throws if SQLite has ended the transaction, and in a child after `fork`.
    void require_open() const {
        if (first_error_) std::rethrow_exception(first_error_);
        fork_mark_.refuse_child(path_);
    }
    /// Throws InvalidError if `statement`, which succeeded, has ended the transaction.
    void require_still_open(std::string_view statement);

    /// Throws the typed error for a result code. `what` names what has failed, for the message.
    [[noreturn]] void fail(int code, std::string_view what);

    /// False after an error that a new connection may not meet again: of the disk, of memory, of
    /// rights, or damage in what was read.
    bool usable() const noexcept { return usable_; }
    /// A read that fails once looks the same as a damaged file. So damage is reported as
    /// StorageError first. If a new connection with `confirm_damage(true)` finds it as well, it is
    /// reported as CorruptError.
    void confirm_damage(bool confirms) noexcept { confirms_damage_ = confirms; }
    /// True if the connection was opened on a file without a write-ahead log, in a directory where
    /// none can be created, and a log is there now. The connection does not read it.
    bool is_outdated() const;
    /// Whether the next connection has to confirm damage.
    bool suspects_damage() const noexcept { return suspects_damage_; }

    /// While it lives, statements are prepared with the rights of the program's own SQL: they may
    /// not begin or end transactions, attach other files, or use savepoints other than the store's.
    /// Otherwise a program could end the transaction under the store.
    class ProgramSql {
    public:
        explicit ProgramSql(Connection& connection) noexcept : connection_(connection) {
            connection_.restricts_sql_ = true;
        }
        ~ProgramSql() { connection_.restricts_sql_ = false; }
        ProgramSql(const ProgramSql&) = delete;
        ProgramSql& operator=(const ProgramSql&) = delete;

    private:
        Connection& connection_;
    };

    /// Makes SQLite copy the write-ahead log into the file and empty it when this connection is
    /// closed, if it is then the last one of all processes.
    void empty_log_on_close() noexcept;

private:
    using StatementCache = detail::ByText<std::shared_ptr<Statement>>;

    static int on_busy(void* self, int count) noexcept;
    static int authorize(void* self, int action, const char* first, const char* second,
                         const char* database, const char* trigger) noexcept;
    void open_read_only();
    void configure();

    /// The size of each of the two generations below.
    static constexpr std::size_t variable_statements_max = 256;

    const detail::ForkMark fork_mark_;
    const std::string path_;
    const std::chrono::milliseconds busy_wait_max_;
    const bool reads_only_;
    std::chrono::steady_clock::time_point busy_since_{};
    std::unique_ptr<SQLite::Database> database_;
    detail::ByText<std::unique_ptr<Statement>> statements_;
    StatementCache recent_statements_;  ///< used since the last change of generation
    StatementCache older_statements_;   ///< not used since then
    std::string log_frames_;            ///< of one commit
    std::exception_ptr first_error_;    ///< of the transaction that SQLite has ended
    bool gathers_commits_ = false;
    bool own_transaction_ = false;  ///< begun with `begin`, not committed or rolled back yet
    bool usable_ = true;
    bool confirms_damage_ = false;
    bool suspects_damage_ = false;
    bool restricts_sql_ = false;  ///< a ProgramSql lives
    bool immutable_ = false;
};

inline void Statement::check(int code) {
    if (code != SQLITE_OK) connection_.fail(code, sqlite3_sql(handle_));
}

/// While it lives, all reads see one state of the database. Joins the transaction that is open, if
/// there is one.
class ReadTransaction {
public:
    explicit ReadTransaction(Connection& connection);
    ~ReadTransaction();
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;

private:
    Connection& connection_;
    Statement* end_ = nullptr;  ///< null if it joined an open transaction
};

/// The `Sql` interface over a connection.
class ConnectionSql final : public Sql {
public:
    explicit ConnectionSql(Connection& connection) noexcept : connection_(&connection) {}

    /// Replaces the connection by another one to the same file.
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
