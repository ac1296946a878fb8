#include "transfer/table_copy.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::detail {

namespace {

/// One statement stores so many rows; what is left over at the end goes row by row.
constexpr std::size_t rows_together = 100;
constexpr std::int64_t page_rows = 1'000;

using Columns = std::vector<std::string>;

std::string list(const Columns& columns) {
    std::string text;
    for (const std::string& column : columns) text += (text.empty() ? "" : ", ") + column;
    return text;
}

/// `(?, ?)`
std::string placeholders(std::size_t count) {
    std::string text = "(?";
    for (std::size_t i = 1; i < count; ++i) text += ", ?";
    return text + ")";
}

/// A value that has left its row.
class KeptValue {
public:
    explicit KeptValue(const SqlValue& value) {
        std::visit([this](const auto& borrowed) { keep(borrowed); }, value.data());
    }
    SqlValue borrow() const {
        return std::visit([](const auto& kept) { return lend(kept); }, data_);
    }

private:
    using Bytes = std::vector<std::uint8_t>;

    template <class T>
    void keep(const T& value) {
        data_ = value;
    }
    void keep(std::string_view text) { data_ = std::string(text); }
    void keep(SqlValue::Bytes bytes) { data_ = Bytes(bytes.begin(), bytes.end()); }

    template <class T>
    static SqlValue lend(const T& value) {
        return SqlValue{value};
    }
    static SqlValue lend(const Bytes& bytes) { return SqlValue{SqlValue::Bytes{bytes}}; }

    std::variant<std::nullptr_t, std::int64_t, double, std::string, Bytes> data_;
};

/// Collects rows for statements of many.
class RowInserter {
public:
    RowInserter(Sql& target, std::string_view table, const Columns& columns)
        : target_(target),
          columns_(columns.size()),
          one_(statement(table, columns, 1)),
          many_(statement(table, columns, rows_together)) {}

    /// The row's columns from `first` on.
    void add(const SqlRow& row, std::size_t first) {
        for (std::size_t i = first; i < first + columns_; ++i) {
            values_.emplace_back(row.value(static_cast<int>(i)));
        }
        ++rows_;
        if (values_.size() == columns_ * rows_together) flush(many_, rows_together);
    }
    void finish() { flush(one_, 1); }
    std::uint64_t rows() const noexcept { return rows_; }

private:
    static std::string statement(std::string_view table, const Columns& columns, std::size_t rows) {
        const std::string row = placeholders(columns.size());
        std::string text = "INSERT INTO ";
        text.append(table).append("(").append(list(columns)).append(") VALUES");
        for (std::size_t i = 0; i < rows; ++i) text += (i == 0 ? " " : ", ") + row;
        return text;
    }

    void flush(const std::string& statement, std::size_t rows) {
        std::vector<SqlValue> parameters;
        for (const KeptValue& value : values_) {
            parameters.push_back(value.borrow());
            if (parameters.size() < columns_ * rows) continue;
            target_.execute(statement, parameters);
            parameters.clear();
        }
        values_.clear();
    }

    Sql& target_;
    const std::size_t columns_;
    const std::string one_;
    const std::string many_;
    std::vector<KeptValue> values_;
    std::uint64_t rows_ = 0;
};

}  // namespace

bool is_empty(Sql& store, const TransferTable& table) {
    return store.query("SELECT 1 FROM " + std::string(table.name) + " LIMIT 1", {},
                       [](const SqlRow&) {}) == 0;
}

std::uint64_t copy_table(Sql& source, Sql& target, const TransferTable& table) {
    const std::string name{table.name};
    const std::string key{table.key};
    Columns columns = target.columns(name);
    const auto keys = static_cast<std::size_t>(std::ranges::count(key, ',')) + 1;
    if (table.numbered) std::erase(columns, key);

    // The key stands in front, to go on behind it: a page at a time, for an engine may hold all
    // rows of a result in memory.
    const std::string select = "SELECT " + key + ", " + list(columns) + " FROM " + name;
    const std::string order = " ORDER BY " + key + " LIMIT " + std::to_string(page_rows);
    const std::string go_on = " WHERE (" + key + ") > " + placeholders(keys);

    target.execute("DELETE FROM " + name, {});
    RowInserter inserter{target, name, columns};
    std::vector<KeptValue> last;
    std::int64_t rows = 0;
    do {
        std::vector<SqlValue> after;
        for (const KeptValue& value : last) after.push_back(value.borrow());
        std::vector<KeptValue> newest;
        rows = source.query(select + (last.empty() ? "" : go_on) + order, after,
                            [&](const SqlRow& row) {
                                newest.clear();
                                for (std::size_t i = 0; i < keys; ++i) {
                                    newest.emplace_back(row.value(static_cast<int>(i)));
                                }
                                inserter.add(row, keys);
                            });
        last = std::move(newest);
    } while (rows == page_rows);
    inserter.finish();
    return inserter.rows();
}

}  // namespace daybook::detail
