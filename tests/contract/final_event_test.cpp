#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("no statement changes or removes recorded events [A4]") {
    const StoreLocation location;
    EventStore store = location.open();
    store.append("thing-1", any_version, {numbered(1), numbered(2)});
    for (const char* statement :
         {"UPDATE daybook_event SET data = '{}'", "DELETE FROM daybook_event WHERE position = 2",
          "UPDATE daybook_event SET position = position + 10", "DELETE FROM daybook_event"}) {
        CAPTURE(statement);
        const auto change = [&](Transaction& tx) { detail::store_sql(tx).exec(statement); };
        CHECK_THROWS_WITH_AS(store.transact(change), doctest::Contains("recorded events"), Error);
        CHECK(store.head() == Position{2});
        std::uint64_t number = 0;
        for (const EventView event : store.read("thing-1")) {
            CHECK(event.data() == numbered(++number).data);
        }
        CHECK(number == 2);
    }
    CHECK(store.append("thing-1", at_version(2), {numbered(3)}).position == Position{3});
}
