#include "daybook/eventstore/message_tables.hpp"
#include "messaging_fixture.hpp"

// The relay's statements must stay cheap when there are a million messages.

using namespace daybook;
using namespace daybook::test;

namespace {

std::string plan_of(const EventStore& store, std::string_view statement, int parameters) {
    std::string plan;
    const std::vector<SqlValue> values(static_cast<std::size_t>(parameters), SqlValue{1});
    store.query([&](Sql& db) {
        db.query("EXPLAIN QUERY PLAN " + std::string(statement), values,
                 [&](const SqlRow& row) { plan += std::string(row.text(3)) + '\n'; });
    });
    return plan;
}

}  // namespace

TEST_CASE("the relay finds its work by index however much waits" * doctest::test_suite("sqlite")) {
    const Shop shop;
    using namespace daybook::detail::sql;
    const std::string remove_list = outbox_remove_list(8);
    const struct {
        std::string_view statement;
        int parameters;
    } hot[] = {{outbox_summary, 1},     {outbox_ready, 5},     {outbox_due, 5},
               {outbox_first_ready, 0}, {outbox_next_wait, 0}, {outbox_unblock, 2},
               {outbox_remove, 2},      {remove_list, 8},      {outbox_record_attempt, 6},
               {outbox_block, 2},       {outbox_unhandled, 3}, {outbox_unhandled_due, 2},
               {outbox_leave, 5},       {outbox_data, 3},      {outbox_count_attempt, 6},
               {outbox_shorten, 3}};
    for (const auto& [statement, parameters] : hot) {
        const std::string plan = plan_of(shop.store, statement, parameters);
        CAPTURE(statement);
        CAPTURE(plan);
        CHECK(plan.find("SEARCH") != std::string::npos);
        CHECK(plan.find("SCAN daybook_outbox") == std::string::npos);
        CHECK(plan.find("SCAN o\n") == std::string::npos);
        CHECK(plan.find("TEMP B-TREE") == std::string::npos);
    }
    CHECK(plan_of(shop.store, outbox_ready, 5).find("daybook_outbox_by_wait") != std::string::npos);
    CHECK(plan_of(shop.store, outbox_due, 5).find("daybook_outbox_by_wait") != std::string::npos);
}
