#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/conflict_error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "postgres_server.hpp"

using namespace daybook;
using namespace daybook::test;

namespace {

std::vector<std::string> lines_of(EventRange events) {
    std::vector<std::string> lines;
    for (const EventView& event : events) {
        lines.push_back(std::string{event.stream()} + " " +
                        std::to_string(event.version().value()) + " " + std::string{event.type()});
    }
    return lines;
}

}  // namespace

TEST_CASE("a store that was replaced under an open writer is not taken for the old one") {
    const PostgresSchema schema;
    EventStore writer = EventStore::open(schema.uri());
    const auto append = [](EventStore& store, const char* stream, Version version) {
        return store.append(stream, at_version(version),
                            {numbered(1), numbered(2), numbered(3), numbered(4)});
    };
    append(writer, "thing-1", 0);
    append(writer, "thing-2", 0);
    append(writer, "thing-2", 4);

    // A new log with the same name and the same length.
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

TEST_CASE("a copy that has other numbers for its names is not taken for the old store") {
    const PostgresSchema schema;
    EventStore writer = EventStore::open(schema.uri());
    NewEvent last = numbered(3, "thing.seen");
    last.id = EventId::generate();
    writer.append("thing-1", any_version, {numbered(1)});
    writer.append("else-1", any_version, {numbered(2, "else.happened")});
    writer.append("thing-2", any_version, {last});

    PostgresConnection{postgres_uri()}.query("DROP SCHEMA " + schema.name() + " CASCADE");
    EventStore copy = EventStore::open(schema.uri());
    copy.append("thing-2", any_version, {numbered(1, "else.happened")});
    copy.append("else-1", any_version, {numbered(2)});
    copy.append("thing-1", any_version, {last});

    // One event at a time, which is a server function of its own: to a cached stream, and to a new
    // one.
    CHECK(writer.append("thing-2", at_version(1), {numbered(4, "thing.seen")}).version ==
          Version{2});
    CHECK(writer.append("else-2", no_stream, {numbered(5)}).position == Position{5});
    const std::vector<std::string> stored = lines_of(copy.read_all());
    CHECK(stored == std::vector<std::string>{"thing-2 1 else.happened", "else-1 1 thing.counted",
                                             "thing-1 1 thing.seen", "thing-2 2 thing.seen",
                                             "else-2 1 thing.counted"});
}

TEST_CASE("the cached version of a stream does not hide the appends of another program") {
    const PostgresSchema schema;
    EventStore writer = EventStore::open(schema.uri());
    for (int n = 0; n < 3; ++n) writer.append("thing-1", any_version, {numbered(n)});
    EventStore other = EventStore::open(schema.uri());
    other.append("thing-1", at_version(3), {numbered(4)});
    CHECK_THROWS_AS(writer.append("thing-1", at_version(3), {numbered(5)}), ConflictError);
    CHECK(writer.append("thing-1", any_version, {numbered(5)}).version == Version{5});
    CHECK(writer.append("thing-1", at_version(5), {numbered(6)}).version == Version{6});
    CHECK(other.version("thing-1") == Version{6});
}
