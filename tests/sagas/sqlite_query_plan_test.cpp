#include <doctest/doctest.h>

#include "daybook/eventstore/event_store.hpp"
#include "statements.hpp"

// The statements that run often must stay cheap when there are a million sagas.

using namespace daybook;

namespace {

std::string plan_of(const std::string& statement, std::vector<SqlValue> parameters) {
    const EventStore store = EventStore::open(":memory:");
    std::string plan;
    store.query([&](Sql& sql) {
        sql.query("EXPLAIN QUERY PLAN " + statement, parameters,
                  [&](const SqlRow& row) { plan += std::string(row.text(3)) + "\n"; });
    });
    return plan;
}

bool sorts(const std::string& plan) { return plan.find("TEMP B-TREE") != std::string::npos; }
bool uses(const std::string& plan, const std::string& index) {
    return plan.find(index) != std::string::npos;
}

}  // namespace

TEST_SUITE_BEGIN("sqlite");

TEST_CASE("due timers are found in their order by an index") {
    const std::string plan = plan_of(std::string(detail::sql::due_timers) + " AND hash IN (?, ?)" +
                                         std::string(detail::sql::due_timers_in_order),
                                     {1, "a", "b", 100});
    CAPTURE(plan);
    CHECK(uses(plan, "SEARCH daybook_saga_timer USING INDEX daybook_saga_timer_by_due (due_at<?)"));
    CHECK_FALSE(sorts(plan));
}

TEST_CASE("the next timer is the first one of an index") {
    const std::string plan = plan_of(std::string(detail::sql::next_timer) + " AND hash IN (?)" +
                                         std::string(detail::sql::next_timer_first),
                                     {Timestamp::min(), "a"});
    CAPTURE(plan);
    CHECK(uses(plan, "daybook_saga_timer_by_due"));
    CHECK_FALSE(sorts(plan));
}

TEST_CASE("a page of a list of sagas does not read those before it") {
    const std::string in_order{detail::sql::in_order};
    const std::string columns{detail::sql::saga_columns};
    const std::string all =
        plan_of(columns + std::string(detail::sql::where_after) + in_order, {"d", "k", 100});
    CAPTURE(all);
    CHECK(uses(all, "SEARCH"));
    CHECK_FALSE(sorts(all));
    const std::string one =
        plan_of(columns + std::string(detail::sql::where_definition) + in_order, {"d", "k", 100});
    CAPTURE(one);
    CHECK(uses(one, "SEARCH"));
    CHECK_FALSE(sorts(one));
}

TEST_SUITE_END();
