#include "private_cluster.hpp"

#include <doctest/doctest.h>

#include "postgres_server.hpp"

using namespace daybook::test;

TEST_CASE("what a killed cluster had committed is there when it runs again" *
          doctest::test_suite("postgres")) {
    PrivateCluster cluster;
    {
        PostgresConnection connection{cluster.uri()};
        CHECK(connection.field("SHOW fsync") == "on");
        connection.query("CREATE TABLE kept(n bigint); INSERT INTO kept VALUES(7)");
        for (int round = 0; round < 3; ++round) {
            cluster.kill();
            CHECK_THROWS_AS(connection.query("SELECT 1"), std::runtime_error);
            CHECK_THROWS_AS(PostgresConnection{cluster.uri()}, std::runtime_error);
            cluster.restart();
            PostgresConnection again{cluster.uri()};
            CHECK(again.field("SELECT n FROM kept") == "7");
        }
    }
}
