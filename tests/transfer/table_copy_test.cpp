#include "transfer/table_copy.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace daybook;

// What a migration holds of tables with large rows, such as an outbox of messages of some MiB.

namespace {

constexpr std::size_t row_bytes = 1024 * 1024;

/// A key, and a text of one MiB.
class Row final : public SqlRow {
public:
    explicit Row(std::int64_t key) : key_(key) {}
    int columns() const override { return 3; }
    std::string_view column_name(int) const override { return {}; }
    bool is_null(int) const override { return false; }
    std::int64_t integer(int) const override { return key_; }
    double real(int) const override { return 0; }
    std::string_view text(int) const override { return text_; }
    SqlValue::Bytes bytes(int) const override { return {}; }
    SqlValue value(int column) const override {
        return column < 2 ? SqlValue{key_} : SqlValue{std::string_view{text_}};
    }

private:
    std::int64_t key_;
    std::string text_ = std::string(row_bytes, 'x');
};

/// A table of large rows that records how many of them one query requests and one insert holds.
class LargeTable final : public Sql {
public:
    explicit LargeTable(std::int64_t rows) : rows_(rows) {}

    std::int64_t execute(std::string_view statement, Parameters parameters) override {
        if (!statement.starts_with("INSERT")) return 0;
        inserted_max = std::max(inserted_max, parameters.size() / 2);
        inserted += parameters.size() / 2;
        return 1;
    }
    std::int64_t query(std::string_view, Parameters parameters, const Visitor& visit) override {
        const auto limit = std::get<std::int64_t>(parameters.back().data());
        requested_max = std::max(requested_max, limit);
        std::int64_t shown = 0;
        for (; shown < limit && next_ < rows_; ++shown) visit(Row{next_++});
        return shown;
    }
    void script(std::string_view) override {}
    std::vector<SqlRelation> relations() override { return {}; }
    std::vector<std::string> columns(std::string_view) override { return {"id", "data"}; }

    std::int64_t requested_max = 0;
    std::size_t inserted_max = 0;
    std::size_t inserted = 0;

private:
    std::int64_t rows_;
    std::int64_t next_ = 0;
};

}  // namespace

TEST_CASE("a migration holds few rows at once where rows are large [D16]" *
          doctest::test_suite("no-store")) {
    LargeTable source{300};
    LargeTable target{0};
    CHECK(detail::copy_table(source, target, {.name = "large", .key = "id"}) == 300);
    CHECK(target.inserted == 300);
    CHECK(source.requested_max <= 8);
    CHECK(target.inserted_max == 1);
}
