#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "postgres_server.hpp"

using namespace daybook::test;

TEST_SUITE_BEGIN("postgres");

TEST_CASE("statements that the server ends because of a deadlock are run again") {
    const PostgresSchema schema;
    PostgresConnection blocker{postgres_uri()};
    PostgresConnection other{postgres_uri()};
    const std::string first = schema.name() + ".first";
    const std::string second = schema.name() + ".second";
    blocker.query("CREATE SCHEMA " + schema.name() + "; CREATE TABLE " + first +
                  "(n int); CREATE TABLE " + second + "(n int)");
    // Of two transactions that wait for each other the server ends the one whose deadlock_timeout
    // expires first.
    blocker.query("SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE " + first);
    const auto locks_of = [](const PostgresConnection& connection) {
        return "(SELECT FROM pg_locks WHERE pid = " + std::to_string(connection.backend());
    };
    std::thread waiting{[&] {
        other.query(
            "SET deadlock_timeout = '1ms'; BEGIN; LOCK TABLE " + second +
            "; DO $$ BEGIN WHILE EXISTS" + locks_of(blocker) + " AND relation = '" + first +
            "'::regclass) AND NOT EXISTS" + locks_of(blocker) +
            " AND NOT granted) LOOP PERFORM pg_sleep(0.001); END LOOP; END $$; LOCK TABLE " +
            first + "; INSERT INTO " + second + " VALUES(1); COMMIT");
    }};
    while (blocker.field("SELECT EXISTS" + locks_of(other) + " AND granted AND relation = '" +
                         second + "'::regclass)") == "f") {}
    blocker.query("LOCK TABLE " + second);
    blocker.query("COMMIT");
    waiting.join();
    CHECK(blocker.field("SELECT count(*) FROM " + second) == "1");
}

TEST_SUITE_END();
