#include "store_location.hpp"

#include <memory>

#include <doctest/doctest.h>

#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("two handles on one location are one store and two locations are two") {
    const StoreLocation location;
    CHECK_FALSE(location.exists());
    EventStore store = location.open();
    CHECK(location.exists());
    store.append("thing-1", no_stream, {numbered(1)});
    CHECK(location.open().head() == Position{1});
    CHECK(StoreLocation{}.open().head() == Position{0});
    CHECK(new_store().head() == Position{0});
}

TEST_CASE("nothing is left of a location and of its read models") {
    auto location = std::make_unique<StoreLocation>();
    {
        EventStore store = location->open();
        const auto model =
            detail::engine_of(store).read_models().open("m.v1.b1", ReadModelUse::build);
        model->sql().script("CREATE TABLE t(a TEXT)");
        CHECK(has_relation(model->sql(), "t"));
        CHECK_FALSE(has_relation(model->sql(), "event"));
    }
    const std::string uri = location->uri();
    location.reset();
    if (on_postgres()) {
        const std::string schema = uri.substr(uri.find("schema=") + 7);
        PostgresConnection connection{postgres_uri()};
        CHECK(connection.field("SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, '" +
                               schema + "')") == "0");
    } else {
        CHECK_FALSE(std::filesystem::exists(std::filesystem::path{uri}.parent_path()));
    }
}
