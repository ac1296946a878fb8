#include "sqlite/connection.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include "daybook/core/error.hpp"

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

SQLite::Database open_database(const std::string& path, bool create) {
    const int flags =
        SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX | (create ? SQLite::OPEN_CREATE : 0);
    try {
        return SQLite::Database{path, flags};
    } catch (const SQLite::Exception& error) {
        fail(nullptr, error.getExtendedErrorCode(), path + " cannot be opened");
    }
}

class StatementRow final : public SqlRow {
public:
    explicit StatementRow(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    int columns() const override { return sqlite3_column_count(statement_); }
    std::string_view column_name(int column) const override {
        return sqlite3_column_name(statement_, column);
    }
    bool is_null(int column) const override {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }
    std::int64_t integer(int column) const override {
        return sqlite3_column_int64(statement_, column);
    }
    double real(int column) const override { return sqlite3_column_double(statement_, column); }
    std::string_view text(int column) const override {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
        if (text == nullptr) return {};
        return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }
    SqlValue::Bytes bytes(int column) const override {
        const auto* bytes =
            static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
        if (bytes == nullptr) return {};
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }
    SqlValue value(int column) const override {
        switch (sqlite3_column_type(statement_, column)) {
            case SQLITE_NULL: return nullptr;
            case SQLITE_INTEGER: return integer(column);
            case SQLITE_FLOAT: return real(column);
            case SQLITE_BLOB: return bytes(column);
            default: return text(column);
        }
    }

private:
    sqlite3_stmt* statement_;
};

}  // namespace

void fail(sqlite3* database, int code, std::string_view what) {
    const std::string text = describe(database, code, what);
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw UnavailableError(text + ": another process is writing; try again");
        case SQLITE_NOMEM: throw UnavailableError(text + ": free memory and try again");
        case SQLITE_FULL: throw StorageError(text + ": free space on the disk and try again");
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            throw StorageError(text + ": check the disk and the rights on file and directory");
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: throw CorruptError(text + ": restore it from a backup");
        case SQLITE_INTERRUPT: throw CancelledError(text);
        default: throw InvalidError(text);
    }
}

Statement::Statement(sqlite3* database, std::string_view sql) {
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &handle_, &rest);
    if (code != SQLITE_OK) fail(database, code, sql);
    if (handle_ == nullptr) {
        throw InvalidError("sqlite: '" + std::string(sql) + "' holds no statement");
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
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    sqlite3* const database = sqlite3_db_handle(handle_);
    const int extended = sqlite3_extended_errcode(database);
    // The text of the error must be read before the reset that clears it.
    const std::string what = sqlite3_sql(handle_);
    struct ResetAfter {
        Statement& statement;
        ~ResetAfter() { statement.reset(); }
    } const reset_after{*this};
    fail(database, extended, what);
}

std::string_view Statement::text(int column) const { return StatementRow{handle_}.text(column); }

EventId Statement::id(int column) const {
    if (is_null(column)) return {};
    return StatementRow{handle_}.id(column);
}

Connection::Connection(const std::string& path, bool create,
                       std::chrono::milliseconds busy_wait_max)
    : path_(path), busy_wait_max_(busy_wait_max), database_(open_database(path, create)) {
    sqlite3_extended_result_codes(handle(), 1);
    if (sqlite3_db_readonly(handle(), "main") == 1) {
        throw StorageError(path + " is read-only: give the program the right to write it");
    }
    sqlite3_busy_handler(handle(), &Connection::on_busy, this);
    sqlite3_wal_autocheckpoint(handle(), 0);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
}

Statement& Connection::statement(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
        found =
            statements_.emplace(std::string(sql), std::make_unique<Statement>(handle(), sql)).first;
    }
    return *found->second;
}

void Connection::run(const std::string& sql) {
    const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(handle(), sqlite3_extended_errcode(handle()), path_ + ": " + sql);
}

std::int64_t Connection::integer(std::string_view sql) {
    Statement& query = statement(sql);
    const Resetting resetting{query};
    return query.step() ? query.integer(0) : 0;
}

std::string Connection::text(std::string_view sql) {
    Statement& query = statement(sql);
    const Resetting resetting{query};
    return query.step() ? std::string(query.text(0)) : std::string();
}

void Connection::rollback() noexcept {
    if (in_transaction()) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

ReadTransaction::ReadTransaction(Connection& connection) {
    if (connection.in_transaction()) return;
    Statement& end = connection.statement("COMMIT");
    Statement& begin = connection.statement("BEGIN");
    const Resetting resetting{begin};
    begin.step();
    end_ = &end;
}

ReadTransaction::~ReadTransaction() {
    if (end_ == nullptr) return;
    end_->try_step();
    end_->reset();
}

int Connection::on_busy(void* self, int count) noexcept {
    // SQLite's own handler sleeps up to 100 ms, long enough for a busy neighbour to take the lock
    // hundreds of times in between; short, uneven naps give everybody a turn.
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

namespace {

void bind_all(Statement& statement, Sql::Parameters parameters) {
    if (static_cast<int>(parameters.size()) != statement.parameters()) {
        throw InvalidError("sqlite: '" + std::string(sqlite3_sql(statement.handle())) + "' has " +
                           std::to_string(statement.parameters()) + " parameters and was given " +
                           std::to_string(parameters.size()));
    }
    int index = 0;
    for (const SqlValue& value : parameters) statement.bind(++index, value);
}

}  // namespace

std::int64_t ConnectionSql::execute(std::string_view statement, Parameters parameters) {
    Statement& prepared = connection_.statement(statement);
    const Resetting resetting{prepared};
    bind_all(prepared, parameters);
    while (prepared.step()) {}
    return sqlite3_changes64(connection_.handle());
}

std::int64_t ConnectionSql::query(std::string_view statement, Parameters parameters,
                                  const Visitor& visit) {
    Statement* prepared = &connection_.statement(statement);
    std::unique_ptr<Statement> own;
    if (prepared->busy()) {
        // A visitor asks the same question again while the first answer is still running.
        own = std::make_unique<Statement>(connection_.handle(), statement);
        prepared = own.get();
    }
    const Resetting resetting{*prepared};
    bind_all(*prepared, parameters);
    const StatementRow row{prepared->handle()};
    std::int64_t rows = 0;
    while (prepared->step()) {
        ++rows;
        visit(row);
    }
    return rows;
}

void ConnectionSql::script(std::string_view statements) {
    connection_.run(std::string(statements));
}

std::vector<SqlRelation> ConnectionSql::relations() {
    std::vector<SqlRelation> found;
    Statement& query = connection_.statement(
        "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY type, name");
    const Resetting resetting{query};
    while (query.step()) {
        const bool is_table = query.text(0) == "table";
        found.push_back({is_table ? SqlRelation::Kind::table : SqlRelation::Kind::view,
                         std::string(query.text(1))});
    }
    return found;
}

std::vector<std::string> ConnectionSql::columns(std::string_view table) {
    std::vector<std::string> found;
    Statement& query = connection_.statement("SELECT name FROM pragma_table_info(?) ORDER BY cid");
    const Resetting resetting{query};
    query.bind(1, table);
    while (query.step()) found.emplace_back(query.text(0));
    return found;
}

}  // namespace daybook::sqlite
