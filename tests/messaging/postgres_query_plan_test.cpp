#include "daybook/eventstore/message_tables.hpp"
#include "messaging_fixture.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

/// Replaces the parameters by `values`.
std::string plan_of(const EventStore& store, std::string_view statement,
                    const std::vector<std::string>& values) {
    std::string text = "EXPLAIN ";
    auto value = values.begin();
    for (const char c : statement) {
        if (c == '?') {
            text += *value++;
        } else {
            text += c;
        }
    }
    std::string plan;
    store.query([&](Sql& db) {
        db.query(text, {}, [&](const SqlRow& row) { plan += std::string(row.text(0)) + '\n'; });
    });
    return plan;
}

}  // namespace

TEST_CASE("a batch is not sorted out of all that waits on PostgreSQL" *
          doctest::test_suite("postgres")) {
    Shop shop;
    shop.store.transact([](Transaction& tx) {
        for (int n = 0; n < 2'000; ++n) {
            tx.publish("post", Parcel{n}, {.key = "k-" + std::to_string(n % 50)});
        }
    });
    using namespace daybook::detail::sql;
    const std::string ready =
        plan_of(shop.store, outbox_ready, {"80000", "65535", "0", "2000", "100"});
    const std::string due = plan_of(shop.store, outbox_due, {"80000", "1", "65535", "2000", "100"});
    CAPTURE(ready);
    CAPTURE(due);
    CHECK(ready.find("Index Scan using daybook_outbox_ready") != std::string::npos);
    CHECK(due.find("Index Scan using daybook_outbox_by_wait") != std::string::npos);
    for (const std::string& plan : {ready, due}) {
        CHECK(plan.find("Seq Scan") == std::string::npos);
        CHECK(plan.find("Sort") == std::string::npos);
        CHECK(plan.find("Bitmap") == std::string::npos);
    }
}
