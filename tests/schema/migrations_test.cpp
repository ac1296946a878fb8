#include "daybook/schema/migrations.hpp"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "numbered_sql.hpp"

using daybook::CorruptError;
using daybook::detail::EmbeddedSql;
using daybook::detail::numbered_sql;

TEST_CASE("the steps of each engine are numbered from one and hold its tables") {
    for (const char* engine : {"sqlite", "postgres"}) {
        CAPTURE(engine);
        const auto steps = daybook::detail::migrations(engine);
        REQUIRE_FALSE(steps.empty());
        for (std::size_t i = 0; i < steps.size(); ++i) {
            CHECK(steps[i].number == static_cast<int>(i) + 1);
            CHECK_FALSE(steps[i].sql.empty());
        }
        CHECK(steps.front().name == "0001_baseline");
        for (const char* table : {"CREATE TABLE daybook_event(", "CREATE TABLE daybook_outbox(",
                                  "CREATE TABLE IF NOT EXISTS daybook_checkpoint("}) {
            CHECK(steps.front().sql.find(table) != std::string::npos);
        }
    }
}

TEST_CASE("an engine without a schema is refused by name") {
    CHECK_THROWS_WITH_AS(daybook::detail::migrations("oracle"), doctest::Contains("'oracle'"),
                         daybook::InvalidError);
}

TEST_CASE("each engine has its own numbers") {
    const std::vector<EmbeddedSql> files{
        {"a", "0001_x/tables/t", "1"}, {"a", "0002_y/tables/t", "2"}, {"b", "0001_z/views/v", "3"}};
    CHECK(numbered_sql(files, "a").size() == 2);
    CHECK(numbered_sql(files, "b").at(0).sql == "3");
}

TEST_CASE("what an object may refer to comes before it") {
    const std::vector<EmbeddedSql> files{
        {"a", "0001_x/functions/f", "5"}, {"a", "0001_x/tables/s", "3"},
        {"a", "0001_x/tables/t", "4"},    {"a", "0001_x/types/u", "1"},
        {"a", "0001_x/types/v", "2"},     {"a", "0001_x/views/a", "6"}};
    const auto steps = numbered_sql(files, "a");
    REQUIRE(steps.size() == 1);
    CHECK(steps.front().sql == "123456");
}

TEST_CASE("a gap or a nameless step or an unknown kind is refused") {
    for (const char* second :
         {"0003_y/tables/t", "0001_y/tables/t", "0002/tables/t", "0002_/tables/t", "0002y/tables/t",
          "2_y/tables/t", "00x2_y/tables/t", "-002_y/tables/t", "00002_y/tables/t", "0002_y/t",
          "0002_y/indexes/t", "0002_y", ""}) {
        CAPTURE(second);
        const std::vector<EmbeddedSql> files{{"a", "0001_x/tables/t", "1"}, {"a", second, "2"}};
        CHECK_THROWS_AS(numbered_sql(files, "a"), CorruptError);
    }
    const std::vector<EmbeddedSql> late{{"a", "0002_x/tables/t", "1"}};
    CHECK_THROWS_AS(numbered_sql(late, "a"), CorruptError);
}
