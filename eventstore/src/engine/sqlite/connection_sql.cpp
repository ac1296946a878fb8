#include <array>
#include <string>

#include "daybook/core/error.hpp"
#include "engine/sqlite/connection.hpp"
#include "values/sql_values.hpp"

namespace daybook::sqlite {

namespace {

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
        switch (sqlite3_column_type(statement_, column)) {
            case SQLITE_INTEGER: return sqlite3_column_int64(statement_, column);
            case SQLITE_NULL: return 0;
            case SQLITE_FLOAT: {
                const double stored = sqlite3_column_double(statement_, column);
                if (const auto whole = detail::whole_number(stored)) return *whole;
                break;
            }
            case SQLITE_TEXT:
                if (const auto whole = detail::whole_number(text(column))) return *whole;
                break;
            default: break;
        }
        detail::refuse_column(column_name(column), text(column), detail::a_whole_number);
    }
    double real(int column) const override {
        switch (sqlite3_column_type(statement_, column)) {
            case SQLITE_TEXT:
                if (const auto number = detail::real_number(text(column))) return *number;
                break;
            case SQLITE_BLOB: break;
            default: return sqlite3_column_double(statement_, column);
        }
        detail::refuse_column(column_name(column), text(column), detail::a_number);
    }
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

void bind_all(Statement& statement, Sql::Parameters parameters) {
    const std::string_view text = sqlite3_sql(statement.handle());
    if (static_cast<int>(parameters.size()) != statement.parameters()) {
        throw InvalidError("sqlite: '" + std::string(text) + "' has " +
                           std::to_string(statement.parameters()) + " parameters and was given " +
                           std::to_string(parameters.size()));
    }
    detail::check_parameters(text, parameters);
    int index = 0;
    for (const SqlValue& value : parameters) statement.bind(++index, value);
}

}  // namespace

std::string_view Statement::text(int column) const { return StatementRow{handle_}.text(column); }

EventId Statement::id(int column) const {
    if (is_null(column)) return {};
    return StatementRow{handle_}.id(column);
}

std::int64_t ConnectionSql::execute(std::string_view statement, Parameters parameters) {
    Connection& connection = *connection_;
    const auto prepared = prepare(statement);
    const Resetting resetting{*prepared};
    bind_all(*prepared, parameters);
    const std::int64_t before = sqlite3_total_changes64(connection.handle());
    while (prepared->step()) {}
    connection.require_still_open(statement);
    // sqlite3_changes keeps the number of the last INSERT, UPDATE or DELETE, so it may be that of
    // an earlier statement.
    if (sqlite3_total_changes64(connection.handle()) == before) return 0;
    return sqlite3_changes64(connection.handle());
}

std::int64_t ConnectionSql::query(std::string_view statement, Parameters parameters,
                                  const Visitor& visit) {
    Connection& connection = *connection_;
    auto prepared = prepare(statement);
    if (prepared->busy()) {
        // The visitor of this very statement runs it again, so the cached one is still in use.
        const Connection::ProgramSql program{connection};
        prepared = std::make_shared<Statement>(connection, statement);
    }
    const Resetting resetting{*prepared};
    bind_all(*prepared, parameters);
    const StatementRow row{prepared->handle()};
    std::int64_t rows = 0;
    while (prepared->step()) {
        ++rows;
        visit(row);
    }
    connection.require_still_open(statement);
    return rows;
}

void ConnectionSql::script(std::string_view statements) {
    const Connection::ProgramSql program{*connection_};
    connection_->run(std::string(statements));
    connection_->require_still_open(statements);
}

std::shared_ptr<Statement> ConnectionSql::prepare(std::string_view statement) {
    const Connection::ProgramSql program{*connection_};
    return connection_->variable_statement(statement);
}

std::vector<SqlRelation> ConnectionSql::relations() {
    std::vector<SqlRelation> found;
    Statement& query = connection_->statement(
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
    Statement& query = connection_->statement("SELECT name FROM pragma_table_info(?) ORDER BY cid");
    const Resetting resetting{query};
    query.bind(1, table);
    while (query.step()) found.emplace_back(query.text(0));
    return found;
}

}  // namespace daybook::sqlite
