#include "daybook/schema/migrations.hpp"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "numbered_sql.hpp"

using daybook::CorruptError;
using daybook::detail::EmbeddedSql;
using daybook::detail::numbered_sql;

TEST_CASE("the steps of SQLite are numbered from one and none is empty") {
    const auto steps = daybook::migrations("sqlite");
    REQUIRE_FALSE(steps.empty());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(steps[i].number == static_cast<int>(i) + 1);
        CHECK_FALSE(steps[i].sql.empty());
    }
    CHECK(steps.front().name == "0001_event");
    CHECK(steps.front().sql.find("CREATE TABLE daybook_event(") != std::string_view::npos);
}

TEST_CASE("an engine without a schema is refused by name") {
    CHECK_THROWS_WITH_AS(daybook::migrations("oracle"), doctest::Contains("'oracle'"),
                         daybook::InvalidError);
}

TEST_CASE("each engine has its own numbers") {
    const std::vector<EmbeddedSql> files{
        {"a", "0001_x", "1"}, {"a", "0002_y", "2"}, {"b", "0001_z", "3"}};
    CHECK(numbered_sql(files, "a").size() == 2);
    CHECK(numbered_sql(files, "b").at(0).sql == "3");
}

TEST_CASE("a gap or a double or a nameless step is refused") {
    for (const char* second :
         {"0003_y", "0001_y", "0002", "0002_", "0002y", "2_y", "00x2_y", "-002_y", "00002_y", ""}) {
        CAPTURE(second);
        const std::vector<EmbeddedSql> files{{"a", "0001_x", "1"}, {"a", second, "2"}};
        CHECK_THROWS_AS(numbered_sql(files, "a"), CorruptError);
    }
    const std::vector<EmbeddedSql> late{{"a", "0002_x", "1"}};
    CHECK_THROWS_AS(numbered_sql(late, "a"), CorruptError);
}
