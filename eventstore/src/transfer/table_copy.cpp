#include "transfer/table_copy.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace daybook::detail {

namespace {

/// So many rows are stored with one statement. Large rows, and the rest at the end, are stored one
/// by one.
constexpr std::size_t rows_together = 100;
constexpr std::size_t bytes_together_max = 4 * 1024 * 1024;

/// An engine may hold all rows of a page in memory, so a page of large rows has fewer of them.
constexpr std::int64_t page_rows_first = 4;
constexpr std::int64_t page_rows_max = 1'000;
constexpr std::size_t page_bytes_max = 8 * 1024 * 1024;

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

/// A copy of a value, which outlives its row.
class KeptValue {
public:
    explicit KeptValue(const SqlValue& value) {
        std::visit([this](const auto& borrowed) { keep(borrowed); }, value.data());
    }
    SqlValue borrow() const {
        return std::visit([](const auto& kept) { return lend(kept); }, data_);
    }
    std::size_t bytes() const {
        if (const auto* text = std::get_if<std::string>(&data_)) return text->size();
        if (const auto* bytes = std::get_if<Bytes>(&data_)) return bytes->size();
        return sizeof(*this);
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

/// Collects rows and inserts many with one statement.
class RowInserter {
public:
    RowInserter(Sql& target, std::string_view table, const Columns& columns)
        : target_(target),
          columns_(columns.size()),
          one_(statement(table, columns, 1)),
          many_(statement(table, columns, rows_together)) {}

    /// Adds the row's columns from `first` on. Returns their size.
    std::size_t add(const SqlRow& row, std::size_t first) {
        std::size_t bytes = 0;
        for (std::size_t i = first; i < first + columns_; ++i) {
            bytes += values_.emplace_back(row.value(static_cast<int>(i))).bytes();
        }
        ++rows_;
        bytes_ += bytes;
        if (values_.size() == columns_ * rows_together) {
            flush(many_, rows_together);
        } else if (bytes_ > bytes_together_max) {
            flush(one_, 1);
        }
        return bytes;
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
        bytes_ = 0;
    }

    Sql& target_;
    const std::size_t columns_;
    const std::string one_;
    const std::string many_;
    std::vector<KeptValue> values_;
    std::size_t bytes_ = 0;  ///< of values_
    std::uint64_t rows_ = 0;
};

/// The number of rows of the next page: as many as fit if each is as large as the largest one of
/// the page before.
std::int64_t rows_after(std::int64_t rows, std::size_t largest_bytes) {
    const auto fitting =
        static_cast<std::int64_t>(page_bytes_max / std::max<std::size_t>(largest_bytes, 1));
    return std::clamp<std::int64_t>(fitting, 1, std::min(page_rows_max, 4 * rows));
}

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

    // The key columns come first; the next page starts after the last key. The table is read in
    // pages because an engine may hold all rows of a result in memory.
    const std::string select = "SELECT " + key + ", " + list(columns) + " FROM " + name;
    const std::string order = " ORDER BY " + key + " LIMIT ?";
    const std::string after_last = " WHERE (" + key + ") > " + placeholders(keys);

    target.execute("DELETE FROM " + name, {});
    RowInserter inserter{target, name, columns};
    std::vector<KeptValue> last;
    std::int64_t page_rows = page_rows_first;
    for (bool more = true; more;) {
        std::vector<SqlValue> parameters;
        for (const KeptValue& value : last) parameters.push_back(value.borrow());
        parameters.emplace_back(page_rows);
        std::vector<KeptValue> newest;
        std::size_t largest = 0;
        const std::int64_t rows = source.query(
            select + (last.empty() ? "" : after_last) + order, parameters, [&](const SqlRow& row) {
                newest.clear();
                for (std::size_t i = 0; i < keys; ++i) {
                    newest.emplace_back(row.value(static_cast<int>(i)));
                }
                largest = std::max(largest, inserter.add(row, keys));
            });
        last = std::move(newest);
        more = rows == page_rows;
        page_rows = rows_after(page_rows, largest);
    }
    inserter.finish();
    return inserter.rows();
}

}  // namespace daybook::detail
