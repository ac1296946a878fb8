#include "daybook/messaging/inbox.hpp"

#include "messaging_fixture.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

void mark(Shop& shop, std::string_view consumer, int count) {
    shop.store.transact([&](Transaction& tx) {
        for (int i = 0; i < count; ++i) tx.mark_handled(consumer, EventId::generate());
    });
}

}  // namespace

TEST_CASE("an inbox takes a message once for each consumer") {
    Shop shop;
    const EventId id = EventId::generate();
    shop.store.transact([&](Transaction& tx) {
        CHECK(tx.mark_handled("a", id));
        CHECK_FALSE(tx.mark_handled("a", id));
        CHECK(tx.mark_handled("b", id));
    });
    shop.store.transact([&](Transaction& tx) { CHECK_FALSE(tx.mark_handled("a", id)); });
}

TEST_CASE("F14: a purge deletes old marks of all consumers and keeps the new ones") {
    Shop shop;
    mark(shop, "a", 7'000);
    mark(shop, "b", 6'000);
    shop.clock.advance(1h);
    mark(shop, "a", 30);
    mark(shop, "c", 20);
    CHECK(purge_inbox(shop.store, noon) == 0);
    CHECK(purge_inbox(shop.store, noon + 30min) == 13'000);
    const auto status = inbox_status(shop.store);
    REQUIRE(status.size() == 2);
    CHECK(status[0].consumer == "a");
    CHECK(status[0].handled == 30);
    CHECK(status[0].oldest == noon + 1h);
    CHECK(status[1].consumer == "c");
    CHECK(status[1].handled == 20);
    CHECK(purge_inbox(shop.store, noon + 2h) == 50);
    CHECK(inbox_status(shop.store).empty());
}
