#include "engine/postgres/connection_sql.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "daybook/core/error.hpp"
#include "values/sql_values.hpp"

namespace daybook::postgres {

namespace {

/// The end of the quoted text, name or comment that begins at `at`; `at` if none begins there.
std::size_t end_of_quoted(std::string_view sql, std::size_t at) {
    const auto after = [&](std::string_view end, std::size_t from) {
        const auto found = sql.find(end, from);
        return found == std::string_view::npos ? sql.size() : found + end.size();
    };
    const std::string_view rest = sql.substr(at);
    if (rest.starts_with('\'')) return after("'", at + 1);
    if (rest.starts_with('"')) return after("\"", at + 1);
    if (rest.starts_with("--")) return after("\n", at + 2);
    if (rest.starts_with("/*")) return after("*/", at + 2);
    if (rest.starts_with('$')) {
        const auto tag_end = rest.find('$', 1);
        const bool is_tag =
            tag_end != std::string_view::npos &&
            rest.substr(1, tag_end - 1).find_first_of(" \n\t,()") == std::string_view::npos;
        if (is_tag) return after(rest.substr(0, tag_end + 1), at + tag_end + 1);
    }
    return at;
}

/// NaN and the infinities, as the server writes them.
std::optional<double> non_finite(std::string_view text) {
    using Limits = std::numeric_limits<double>;
    if (text == "NaN") return Limits::quiet_NaN();
    if (text == "Infinity") return Limits::infinity();
    if (text == "-Infinity") return -Limits::infinity();
    return std::nullopt;
}

/// Whether a double can hold every digit of the decimal number.
bool fits_double(std::string_view text) {
    if (non_finite(text)) return true;
    constexpr std::ptrdiff_t digits_max = std::numeric_limits<double>::digits10;
    return std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }) <= digits_max &&
           detail::real_number(text).has_value();
}

/// A row of a result in text format. What `bytes` returns is valid as long as the row.
class ResultRow final : public SqlRow {
public:
    explicit ResultRow(const Result& result) : result_(result) {
        bytes_.resize(static_cast<std::size_t>(result.columns()));
    }

    void go_to(int row) noexcept { row_ = row; }

    int columns() const override { return result_.columns(); }
    std::string_view column_name(int column) const override { return result_.column_name(column); }
    bool is_null(int column) const override { return result_.is_null(row_, column); }
    std::int64_t integer(int column) const override {
        if (is_null(column)) return 0;
        const std::string_view value = text(column);
        if (result_.type(column) == type::boolean) return value == "t" ? 1 : 0;
        if (const auto number = whole(column)) return *number;
        detail::refuse_column(column_name(column), value, detail::a_whole_number);
    }
    double real(int column) const override {
        if (is_null(column)) return 0.0;
        const std::string_view value = text(column);
        if (result_.type(column) == type::boolean) return value == "t" ? 1.0 : 0.0;
        if (has_number(column)) {
            if (const auto number = detail::real_number(value)) return *number;
            if (const auto number = non_finite(value)) return *number;
        }
        detail::refuse_column(column_name(column), value, detail::a_number);
    }
    std::string_view text(int column) const override { return result_.text(row_, column); }
    SqlValue::Bytes bytes(int column) const override {
        const std::string_view value = text(column);
        switch (result_.type(column)) {
            case type::bytea: return from_hex(column, value.substr(value.empty() ? 0 : 2));
            case type::uuid: return from_hex(column, value);
            default: return {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()};
        }
    }
    SqlValue value(int column) const override {
        if (is_null(column)) return nullptr;
        switch (result_.type(column)) {
            case type::boolean:
            case type::int2:
            case type::int4:
            case type::int8: return integer(column);
            case type::float4:
            case type::float8: return real(column);
            case type::numeric:
                // sum() of bigint is a numeric.
                if (const auto number = whole(column)) return *number;
                if (fits_double(text(column))) return real(column);
                return text(column);
            case type::bytea:
            case type::uuid: return bytes(column);
            default: return text(column);
        }
    }

private:
    /// Whether the column's type can hold a number. Digits alone do not tell: a bit string has them
    /// too. A type of an extension or of the user may be one.
    bool has_number(int column) const {
        switch (result_.type(column)) {
            case type::int2:
            case type::int4:
            case type::int8:
            case type::oid:
            case type::float4:
            case type::float8:
            case type::numeric:
            case type::text:
            case type::varchar:
            case type::bpchar:
            case type::name:
            case type::unknown: return true;
            default: return result_.type(column) >= type::first_of_users;
        }
    }
    std::optional<std::int64_t> whole(int column) const {
        if (!has_number(column)) return std::nullopt;
        return detail::whole_number(text(column));
    }
    SqlValue::Bytes from_hex(int column, std::string_view digits) const {
        auto& bytes = bytes_[static_cast<std::size_t>(column)];
        bytes.clear();
        int high = -1;
        for (const char c : digits) {
            if (c == '-') continue;
            const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
            if (high < 0) {
                high = digit;
            } else {
                bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
                high = -1;
            }
        }
        return bytes;
    }

    const Result& result_;
    mutable std::vector<std::vector<std::uint8_t>> bytes_;
    int row_ = 0;
};

}  // namespace

std::string number_parameters(std::string_view statement, int& parameters) {
    std::string text;
    text.reserve(statement.size() + 16);
    for (std::size_t at = 0; at < statement.size();) {
        const std::size_t end = end_of_quoted(statement, at);
        if (end > at) {
            text += statement.substr(at, end - at);
            at = end;
            continue;
        }
        if (statement[at] == '?') {
            text += '$';
            text += std::to_string(++parameters);
        } else {
            text += statement[at];
        }
        ++at;
    }
    return text;
}

const ConnectionSql::Translated& ConnectionSql::translated(std::string_view statement) {
    constexpr std::size_t kept_max = 500;
    constexpr std::size_t kept_bytes_max = 16 * 1024;
    const auto found = translated_.find(statement);
    if (found != translated_.end()) return found->second;
    Translated made;
    made.text = number_parameters(statement, made.parameters);
    if (statement.find("daybook_") != std::string_view::npos) made.author = Author::store;
    if (statement.size() > kept_bytes_max) return long_statement_ = std::move(made);
    if (translated_.size() >= kept_max) translated_.clear();
    return translated_.emplace(std::string(statement), std::move(made)).first->second;
}

void ConnectionSql::send(std::string_view statement, Sql::Parameters parameters) {
    const Translated& own = translated(statement);
    if (static_cast<int>(parameters.size()) != own.parameters) {
        throw InvalidError("postgresql: '" + std::string(statement) + "' has " +
                           std::to_string(own.parameters) + " parameters and was given " +
                           std::to_string(parameters.size()));
    }
    detail::check_parameters(statement, parameters);
    postgres::Parameters values;
    for (const SqlValue& value : parameters) values.add(value);
    // Outside of a transaction the statement is one of its own, which needs the settings as well.
    if (!connection_.in_transaction()) connection_.send_settings();
    connection_.send(own.text, values, Format::text, own.author);
}

Result ConnectionSql::run(std::string_view statement, Sql::Parameters parameters) {
    return connection_.with_fresh_statements([&] {
        send(statement, parameters);
        return std::move(connection_.receive().back());
    });
}

std::int64_t ConnectionSql::execute(std::string_view statement, Sql::Parameters parameters) {
    return run(statement, parameters).affected_rows();
}

void ConnectionSql::execute_later(std::string_view statement, Sql::Parameters parameters) {
    constexpr std::size_t unanswered_max = 100;
    send(statement, parameters);
    if (connection_.unanswered() >= unanswered_max) connection_.receive();
}

std::int64_t ConnectionSql::query(std::string_view statement, Sql::Parameters parameters,
                                  const Visitor& visit) {
    const Result result = run(statement, parameters);
    ResultRow row{result};
    for (int i = 0; i < result.rows(); ++i) {
        row.go_to(i);
        visit(row);
    }
    return result.rows();
}

void ConnectionSql::script(std::string_view statements) {
    connection_.script(std::string(statements), Author::program);
}

std::vector<SqlRelation> ConnectionSql::relations() {
    std::vector<SqlRelation> found;
    query(
        "SELECT table_type, table_name FROM information_schema.tables "
        "WHERE table_schema = current_schema() ORDER BY table_type = 'VIEW', table_name "
        "COLLATE \"C\"",
        {}, [&](const SqlRow& row) {
            const bool is_view = row.text(0) == "VIEW";
            found.push_back({is_view ? SqlRelation::Kind::view : SqlRelation::Kind::table,
                             std::string(row.text(1))});
        });
    return found;
}

std::vector<std::string> ConnectionSql::columns(std::string_view table) {
    std::vector<std::string> found;
    const SqlValue name[] = {SqlValue{table}};
    query(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = ? AND is_generated = 'NEVER' "
        "ORDER BY ordinal_position",
        name, [&](const SqlRow& row) { found.emplace_back(row.text(0)); });
    return found;
}

}  // namespace daybook::postgres
