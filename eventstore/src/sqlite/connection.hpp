#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/sql.hpp"
#include "text_hash.hpp"

namespace daybook::sqlite {

/// Throws the typed error for a result code. `what` names the thing that failed.
[[noreturn]] void fail(sqlite3* database, int code, std::string_view what);

/// A prepared statement that is kept. Thin over the C API: this is the hot path.
class Statement {
public:
    Statement(sqlite3* database, std::string_view sql);
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
    /// The same with the raw result code for those who want to look at it.
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
    void check(int code) {
        if (code != SQLITE_OK) fail(sqlite3_db_handle(handle_), code, sqlite3_sql(handle_));
    }

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

/// One connection to one file, with its statements kept. Used by one thread at a time. It never
/// checkpoints by itself, not on close either: see Checkpointer.
class Connection {
public:
    Connection(const std::string& path, bool create, std::chrono::milliseconds busy_wait_max);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    sqlite3* handle() const noexcept { return database_.getHandle(); }
    const std::string& path() const noexcept { return path_; }

    /// The kept statement for this text, ready to be bound.
    Statement& statement(std::string_view sql);
    /// Runs statements that need no parameters and give no rows.
    void run(const std::string& sql);
    std::int64_t integer(std::string_view sql);
    std::string text(std::string_view sql);

    bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle()) == 0; }
    /// Rolls back if a transaction is open; the first error is what matters, not this one's.
    void rollback() noexcept;

private:
    static int on_busy(void* self, int count) noexcept;

    std::string path_;
    std::chrono::milliseconds busy_wait_max_;
    std::chrono::steady_clock::time_point busy_since_{};
    SQLite::Database database_;
    detail::ByText<std::unique_ptr<Statement>> statements_;
};

/// Everything read while it lives is of one state of the database. Joins the transaction that is
/// open, if there is one.
class ReadTransaction {
public:
    explicit ReadTransaction(Connection& connection);
    ~ReadTransaction();
    ReadTransaction(const ReadTransaction&) = delete;
    ReadTransaction& operator=(const ReadTransaction&) = delete;

private:
    Statement* end_ = nullptr;  ///< none if the transaction is somebody else's
};

/// The general SQL door over a connection.
class ConnectionSql final : public Sql {
public:
    explicit ConnectionSql(Connection& connection) noexcept : connection_(connection) {}

    std::int64_t execute(std::string_view statement, Parameters parameters) override;
    std::int64_t query(std::string_view statement, Parameters parameters,
                       const Visitor& visit) override;
    void script(std::string_view statements) override;
    std::vector<SqlRelation> relations() override;
    std::vector<std::string> columns(std::string_view table) override;

private:
    Connection& connection_;
};

}  // namespace daybook::sqlite
