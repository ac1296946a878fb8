#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/conflict_error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "postgres_server.hpp"

using namespace daybook;
using namespace daybook::test;

TEST_CASE("a store that was made anew under an open writer is not taken for the one it knew") {
    const PostgresSchema schema;
    EventStore writer = EventStore::open(schema.uri());
    const auto append = [](EventStore& store, const char* stream, Version version) {
        return store.append(stream, at_version(version),
                            {numbered(1), numbered(2), numbered(3), numbered(4)});
    };
    append(writer, "thing-1", 0);
    append(writer, "thing-2", 0);
    append(writer, "thing-2", 4);

    // The same name, and a log of the same length, but another one.
    PostgresConnection{postgres_uri()}.query("DROP SCHEMA " + schema.name() + " CASCADE");
    EventStore anew = EventStore::open(schema.uri());
    append(anew, "thing-2", 0);
    append(anew, "thing-1", 0);
    append(anew, "thing-1", 4);

    CHECK_THROWS_AS(append(writer, "thing-2", 8), ConflictError);
    CHECK(append(writer, "thing-2", 4).position == Position{16});
    CHECK(append(writer, "thing-1", 8).position == Position{20});
    CHECK(anew.version("thing-1") == Version{12});
    CHECK(anew.version("thing-2") == Version{8});
}
