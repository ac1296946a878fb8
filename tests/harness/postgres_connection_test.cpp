#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "postgres_server.hpp"

using namespace daybook::test;

TEST_SUITE_BEGIN("postgres");

TEST_CASE("statements that the server ends because of a deadlock are run again") {
    const PostgresSchema schema;
    PostgresConnection one{postgres_uri()};
    PostgresConnection other{postgres_uri()};
    const std::string first = schema.name() + ".first";
    const std::string second = schema.name() + ".second";
    one.query("CREATE SCHEMA " + schema.name() + "; CREATE TABLE " + first +
              "(n int); CREATE TABLE " + second + "(n int)");
    // Of two that wait for each other the server ends the one that looks first, after a time.
    one.query("SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE " + first);
    const auto locks_of = [](const PostgresConnection& connection) {
        return "(SELECT FROM pg_locks WHERE pid = " + std::to_string(connection.backend());
    };
    std::thread waiting{[&] {
        other.query(
            "SET deadlock_timeout = '1ms'; BEGIN; LOCK TABLE " + second +
            "; DO $$ BEGIN WHILE EXISTS" + locks_of(one) + " AND relation = '" + first +
            "'::regclass) AND NOT EXISTS" + locks_of(one) +
            " AND NOT granted) LOOP PERFORM pg_sleep(0.001); END LOOP; END $$; LOCK TABLE " +
            first + "; INSERT INTO " + second + " VALUES(1); COMMIT");
    }};
    while (one.field("SELECT EXISTS" + locks_of(other) + " AND granted AND relation = '" + second +
                     "'::regclass)") == "f") {}
    one.query("LOCK TABLE " + second);
    one.query("COMMIT");
    waiting.join();
    CHECK(one.field("SELECT count(*) FROM " + second) == "1");
}

TEST_SUITE_END();
