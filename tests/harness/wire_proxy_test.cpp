#include "wire_proxy.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include "patience.hpp"
#include "postgres_server.hpp"

using namespace daybook::test;
using namespace std::chrono_literals;
using Direction = WireProxy::Direction;
using Action = WireProxy::Action;

namespace {

/// A table of numbers, which the test reads past the proxy.
struct Table {
    PostgresSchema schema;
    PostgresConnection direct{postgres_uri()};
    std::string name = schema.name() + ".numbers";

    Table() {
        direct.query("CREATE SCHEMA " + schema.name() + "; CREATE TABLE " + name + "(n bigint)");
    }
    std::string insert(int number) const {
        return "INSERT INTO " + name + " VALUES(" + std::to_string(number) + ")";
    }
    /// The number of rows after the server has ended the connection `backend`.
    std::string rows_after(int backend) {
        const std::string gone =
            "SELECT count(*) FROM pg_stat_activity WHERE pid = " + std::to_string(backend);
        while (direct.field(gone) != "0") std::this_thread::sleep_for(1ms);
        return direct.field("SELECT count(*) FROM " + name);
    }
};

bool works(PostgresConnection& connection, const std::string& statement) {
    try {
        connection.query(statement);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("what goes through the proxy arrives and is counted by message") {
    WireProxy proxy{postgres_uri()};
    PostgresConnection connection{proxy.uri()};
    const std::string begun = proxy.passed(Direction::to_server);
    CHECK(begun.back() == '^');
    proxy.clear_passed();
    CHECK(connection.field("SELECT 42") == "42");
    CHECK(proxy.passed(Direction::to_server) == "Q");
    CHECK(proxy.passed(Direction::to_client) == "TDCZ");
    CHECK(connection.field("SELECT length(repeat('x', 1000000))") == "1000000");
    CHECK(connection.field("SELECT repeat('x', 1000000)").size() == 1'000'000);
}

TEST_CASE("encryption that is requested and refused is passed through") {
    WireProxy proxy{postgres_uri()};
    PostgresConnection connection{proxy.uri() + "?sslmode=prefer"};
    CHECK(connection.field("SELECT 1") == "1");
    CHECK(proxy.passed(Direction::to_server) == "?^Q");
    CHECK(proxy.passed(Direction::to_client).substr(0, 2) == "!R");
}

TEST_CASE("a connection cut before a message loses it and one cut after it does not") {
    Table table;
    WireProxy proxy{postgres_uri()};
    for (const auto& [action, rows] :
         {std::pair{Action::cut_before, "0"}, std::pair{Action::cut_inside, "0"},
          std::pair{Action::cut_after, "1"}}) {
        PostgresConnection connection{proxy.uri()};
        const int backend = connection.backend();
        proxy.arm({.direction = Direction::to_server, .message = 2, .action = action});
        CHECK(works(connection, "SELECT 1"));
        CHECK_FALSE(proxy.happened());
        CHECK_FALSE(works(connection, table.insert(1)));
        CHECK(proxy.happened());
        CHECK(table.rows_after(backend) == rows);

        PostgresConnection again{proxy.uri()};
        CHECK(works(again, "SELECT 1"));
    }
}

TEST_CASE("a connection cut on the way back leaves the client without what was done") {
    Table table;
    WireProxy proxy{postgres_uri()};
    for (const auto action : {Action::cut_before, Action::cut_inside, Action::cut_after}) {
        PostgresConnection connection{proxy.uri()};
        const int backend = connection.backend();
        proxy.arm({.direction = Direction::to_client, .message = 1, .action = action});
        CHECK_FALSE(works(connection, table.insert(1)));
        CHECK(proxy.passed(Direction::to_client) == (action == Action::cut_after ? "C" : ""));
        table.rows_after(backend);
    }
    CHECK(table.direct.field("SELECT count(*) FROM " + table.name) == "3");
}

TEST_CASE("a stalled connection goes on after its time and the others never stop") {
    Table table;
    WireProxy proxy{postgres_uri()};
    PostgresConnection slow{proxy.uri()};
    PostgresConnection other{proxy.uri()};
    proxy.arm({.direction = Direction::to_client, .action = Action::stall, .stall = 1s});
    const auto begun = std::chrono::steady_clock::now();
    std::jthread waiting{[&] { CHECK(works(slow, table.insert(1))); }};
    REQUIRE(proxy.wait_until_happened(daybook::test::patience()));
    CHECK(works(other, "SELECT 1"));
    waiting.join();
    CHECK(std::chrono::steady_clock::now() - begun >= 1s);
    CHECK(works(slow, "SELECT 1"));
}

TEST_CASE("a connection stalled for ever goes on when the proxy is healed") {
    WireProxy proxy{postgres_uri()};
    PostgresConnection connection{proxy.uri()};
    PostgresConnection other{proxy.uri()};
    proxy.arm({.direction = Direction::to_server, .action = Action::stall});
    std::jthread waiting{[&] { CHECK(works(connection, "SELECT 1")); }};
    REQUIRE(proxy.wait_until_happened(daybook::test::patience()));
    CHECK(works(other, "SELECT 1"));
    proxy.clear_passed();
    std::this_thread::sleep_for(50ms);
    CHECK(proxy.passed(Direction::to_server).empty());
    proxy.heal();
    waiting.join();
    CHECK(proxy.passed(Direction::to_server) == "Q");
}

TEST_CASE("a proxy that ends takes a stalled connection with it") {
    auto proxy = std::make_unique<WireProxy>(postgres_uri());
    PostgresConnection connection{proxy->uri()};
    proxy->arm({.direction = Direction::to_client, .action = Action::stall});
    std::jthread waiting{[&] { CHECK_FALSE(works(connection, "SELECT 1")); }};
    REQUIRE(proxy->wait_until_happened(daybook::test::patience()));
    proxy.reset();
}

TEST_CASE("connections are refused and cut as a whole until the proxy is healed") {
    WireProxy proxy{postgres_uri()};
    PostgresConnection connection{proxy.uri()};
    proxy.refuse_connections();
    CHECK_THROWS_AS(PostgresConnection{proxy.uri()}, std::runtime_error);
    CHECK(works(connection, "SELECT 1"));
    proxy.cut_all();
    CHECK_FALSE(works(connection, "SELECT 1"));
    proxy.heal();
    PostgresConnection again{proxy.uri()};
    CHECK(works(again, "SELECT 1"));
}

TEST_CASE("a cancellation goes through the proxy") {
    WireProxy proxy{postgres_uri()};
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(proxy.uri().c_str()),
                                                                  &PQfinish};
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel{PQgetCancel(connection.get()),
                                                                    &PQfreeCancel};
    std::jthread later{[&] {
        std::this_thread::sleep_for(50ms);
        char error[256];
        PQcancel(cancel.get(), error, sizeof error);
    }};
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{
        PQexec(connection.get(), "SELECT pg_sleep(600)"), &PQclear};
    CHECK(std::string{PQresultErrorField(result.get(), PG_DIAG_SQLSTATE)} == "57014");
    CHECK(proxy.passed(Direction::to_server).ends_with("x"));
}

TEST_CASE("more connections than there are descriptors come and go") {
    WireProxy proxy{postgres_uri()};
    for (int i = 0; i < 600; ++i) {
        PostgresConnection connection{proxy.uri()};
        REQUIRE(works(connection, "SELECT 1"));
    }
}

TEST_SUITE_END();
