#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"

namespace daybook {

/// A parameter of a statement. Text and bytes are borrowed for the call. Instants are sent as whole
/// microseconds, ids as 16 bytes, positions and versions as whole numbers.
///
/// A value that one of the engines could not store unchanged throws InvalidError on both: a number
/// above 2^63 - 1 and NaN when the value is constructed, text that is not UTF-8 or holds a zero
/// byte when the statement is run.
class SqlValue {
public:
    using Bytes = std::span<const std::uint8_t>;
    using Data = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, Bytes>;

    SqlValue(std::nullptr_t) noexcept : data_(nullptr) {}
    template <std::integral I>
    SqlValue(I value) noexcept(always_fits<I>) : data_(static_cast<std::int64_t>(value)) {
        if constexpr (!always_fits<I>) {
            if (value > static_cast<I>(std::numeric_limits<std::int64_t>::max())) {
                refuse_number(value);
            }
        }
    }
    template <std::floating_point F>
    SqlValue(F value) : data_(static_cast<double>(value)) {
        if (value != value) refuse_nan();
    }
    SqlValue(std::string_view value) noexcept : data_(value) {}
    SqlValue(const std::string& value) noexcept : data_(std::string_view{value}) {}
    SqlValue(const char* value) noexcept : data_(std::string_view{value}) {}
    SqlValue(Bytes value) noexcept : data_(value) {}
    SqlValue(const EventId& value) noexcept : data_(Bytes{value.bytes()}) {}
    SqlValue(Timestamp value) noexcept
        : data_(static_cast<std::int64_t>(value.time_since_epoch().count())) {}
    template <class Tag>
    SqlValue(Ordinal<Tag> value) : SqlValue(value.value()) {}
    template <class T>
    SqlValue(const std::optional<T>& value)
        : SqlValue(value ? SqlValue(*value) : SqlValue(nullptr)) {}

    /// NULL for a nil id. The id is borrowed like bytes.
    static SqlValue id_or_null(const EventId& id) noexcept {
        return id.is_nil() ? SqlValue{nullptr} : SqlValue{id};
    }

    const Data& data() const noexcept { return data_; }

private:
    template <class I>
    static constexpr bool always_fits = std::is_signed_v<I> || sizeof(I) < sizeof(std::int64_t);
    [[noreturn]] static void refuse_number(std::uint64_t value);
    [[noreturn]] static void refuse_nan();

    Data data_;
};

/// A row of a result, valid only inside the visitor. The first column is 0.
class SqlRow {
public:
    virtual ~SqlRow() = default;
    virtual int columns() const = 0;
    virtual std::string_view column_name(int column) const = 0;
    virtual bool is_null(int column) const = 0;
    /// A whole number of 64 bits, from a column of any type that holds exactly one: 7, 7.0 and '7'
    /// are 7, true is 1. 0 for NULL. Throws InvalidError, which names the column and its value, for
    /// everything else (7.5, 1e30, a date).
    virtual std::int64_t integer(int column) const = 0;
    /// A number, or text that is exactly a number. 0 for NULL. Throws InvalidError otherwise.
    virtual double real(int column) const = 0;
    /// The value as text, whatever its type; empty for NULL.
    virtual std::string_view text(int column) const = 0;
    virtual SqlValue::Bytes bytes(int column) const = 0;
    /// The value in its own type; text and bytes point into the row.
    virtual SqlValue value(int column) const = 0;

    Timestamp timestamp(int column) const {
        return Timestamp{std::chrono::microseconds{integer(column)}};
    }
    Position position(int column) const {
        return Position{static_cast<std::uint64_t>(integer(column))};
    }
    /// Throws CorruptError unless the column holds 16 bytes.
    EventId id(int column) const;
};

/// The name of a table, column or schema in quotes, `"name"`, with quotes in it escaped.
std::string quoted_name(std::string_view name);

/// A table or a view.
struct SqlRelation {
    /// Which of the two it is.
    enum class Kind { table, view };
    Kind kind = Kind::table;
    std::string name;
    bool operator==(const SqlRelation&) const = default;
};

/// Runs SQL on one database, in the transaction that is open on it. Parameters are written `?` on
/// every engine. The last few hundred statements stay prepared, by their text, so a constant text
/// is prepared once. Foreign keys are enforced. Throws InvalidError, which names the statement, for
/// SQL that the engine refuses. On PostgreSQL the transaction accepts no other statement after
/// that, so the error should leave the function. If an error made SQLite roll the transaction back
/// (a full disk, INSERT OR ROLLBACK), each further call in it throws that error again. Not
/// thread-safe: use it only in the function that received it.
class Sql {
public:
    using Parameters = std::span<const SqlValue>;
    using Visitor = std::function<void(const SqlRow&)>;

    virtual ~Sql() = default;

    /// Runs one statement and returns how many rows it changed: 0 unless it inserts, updates or
    /// deletes. Throws InvalidError for a text with several statements.
    virtual std::int64_t execute(std::string_view statement, Parameters parameters) = 0;
    /// The same for a change whose result the caller does not need, inside a transaction. An engine
    /// behind a network sends it together with the next statement, which sees the change. That
    /// statement, or the commit, throws its error, which names this statement. Parameters are
    /// copied.
    virtual void execute_later(std::string_view statement, Parameters parameters) {
        execute(statement, parameters);
    }
    /// Runs one statement and calls `visit` for each row. Returns the number of rows.
    virtual std::int64_t query(std::string_view statement, Parameters parameters,
                               const Visitor& visit) = 0;
    /// Runs several statements without parameters (a schema).
    virtual void script(std::string_view statements) = 0;

    /// All tables and views of this database, by kind and name.
    virtual std::vector<SqlRelation> relations() = 0;
    /// The columns of a table that can be written, so without generated ones, in their order; empty
    /// if it does not exist.
    virtual std::vector<std::string> columns(std::string_view table) = 0;

    /// `exec("UPDATE t SET n = ? WHERE k = ?", n, key)`.
    template <class... Args>
    std::int64_t exec(std::string_view statement, const Args&... args) {
        if constexpr (sizeof...(Args) == 0) {
            return execute(statement, {});
        } else {
            const SqlValue values[] = {SqlValue(args)...};
            return execute(statement, values);
        }
    }
    /// The same for `execute_later`: `exec_later("DELETE FROM t WHERE k = ?", key)`.
    template <class... Args>
    void exec_later(std::string_view statement, const Args&... args) {
        const SqlValue values[] = {SqlValue(args)...};
        execute_later(statement, values);
    }
    /// `each("SELECT k, n FROM t WHERE n > ?", [](const SqlRow& row) { … }, 7)`.
    template <std::invocable<const SqlRow&> Visit, class... Args>
    std::int64_t each(std::string_view statement, Visit&& visit, const Args&... args) {
        if constexpr (sizeof...(Args) == 0) {
            return query(statement, {}, std::ref(visit));
        } else {
            const SqlValue values[] = {SqlValue(args)...};
            return query(statement, values, std::ref(visit));
        }
    }
    /// The first column of the first row as a whole number; nothing if there is no row or a NULL.
    template <class... Args>
    std::optional<std::int64_t> integer(std::string_view statement, const Args&... args) {
        std::optional<std::int64_t> found;
        each(
            statement,
            [&](const SqlRow& row) {
                if (!found && !row.is_null(0)) found = row.integer(0);
            },
            args...);
        return found;
    }
    /// The same as text.
    template <class... Args>
    std::optional<std::string> text(std::string_view statement, const Args&... args) {
        std::optional<std::string> found;
        each(
            statement,
            [&](const SqlRow& row) {
                if (!found && !row.is_null(0)) found = std::string(row.text(0));
            },
            args...);
        return found;
    }
};

}  // namespace daybook
