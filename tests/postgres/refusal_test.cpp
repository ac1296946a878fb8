#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/denied_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"
#include "private_cluster.hpp"
#include "process.hpp"
#include "wire_proxy.hpp"

// What a store on PostgreSQL is refused for: by its kind in the library, by its code in the
// command, soon, and without a word of the password.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using SteadyClock = std::chrono::steady_clock;

const std::string secret = "open-sesame-4711";

struct Refusal {
    ErrorKind kind;
    int code;
};

constexpr Refusal unavailable{ErrorKind::unavailable, 6};
constexpr Refusal denied{ErrorKind::storage, 1};
constexpr Refusal not_found{ErrorKind::not_found, 3};
constexpr Refusal invalid{ErrorKind::invalid, 2};

/// Checks that opening a store at `uri` is refused, by the library and by the command.
void expect_refused(const std::string& uri, const Refusal& refusal, const std::string& word = "") {
    CAPTURE(uri);
    std::string text;
    try {
        EventStore::open(uri, {.busy_wait_max = 2s, .reply_wait_max = 2s});
        FAIL_CHECK("it was opened");
    } catch (const Error& error) {
        text = error.what();
        CAPTURE(text);
        CHECK(error.kind() == refusal.kind);
    }
    CAPTURE(text);
    CHECK(text.find(word) != std::string::npos);
    CHECK(text.find("sesame") == std::string::npos);

    const auto result =
        process::run({"--store", uri, "append", "thing-1", "--type", "t", "--data", "1"});
    CAPTURE(result.err);
    CHECK(result.code == refusal.code);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("daybook: " + std::string(to_string(refusal.kind)) + ": "));
    CHECK(result.err.find("sesame") == std::string::npos);
}

/// `uri` with another user (and password), another database.
std::string changed(const std::string& uri, const std::string& user, const std::string& database) {
    const auto host = uri.find('@') + 1;
    const auto end = uri.find('/', host);
    return "postgresql://" + user + "@" + uri.substr(host, end - host) + "/" + database;
}

std::string database_of(const std::string& uri) {
    return uri.substr(uri.rfind('/') + 1, uri.find('?') - uri.rfind('/') - 1);
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("a wrong password is refused and not shown [E22]") {
    const PrivateCluster cluster;
    const std::string database = database_of(cluster.uri());
    PostgresConnection server{cluster.uri()};
    server.query("CREATE ROLE ada LOGIN SUPERUSER PASSWORD 'right'");
    const std::string file = server.field("SHOW hba_file");
    server.query(
        "COPY (SELECT unnest(ARRAY['host all ada 127.0.0.1/32 scram-sha-256', "
        "'host all all 127.0.0.1/32 trust', 'local all all trust'])) TO '" +
        file + "'");
    server.query("SELECT pg_reload_conf()");
    const auto deadline = SteadyClock::now() + patience();
    while (server.field("SELECT count(*) FROM pg_hba_file_rules") != "3" &&
           SteadyClock::now() < deadline) {}

    expect_refused(changed(cluster.uri(), "ada:" + secret, database), denied, "ada");
    expect_refused(changed(cluster.uri(), "ada", database) + "?password=" + secret, denied);
    expect_refused(changed(cluster.uri(), "ada", database), denied);
    EventStore store = EventStore::open(changed(cluster.uri(), "ada:right", database));
    CHECK(store.append("thing-1", any_version, {numbered(1)}).position == Position{1});
}

TEST_CASE("a password in a URI that cannot be parsed is not shown") {
    const std::string rest = "@127.0.0.1:1/nowhere";
    expect_refused("postgresql://ada:100%" + secret + rest, invalid);
    expect_refused("postgresql://ada:a/" + secret + rest, invalid);
    expect_refused("postgresql://ada:" + secret + "@" + secret + rest, invalid);
    expect_refused("postgresql://ada:" + secret + rest + "?nonsense=1", invalid);
    expect_refused("postgresql://ada:" + secret + rest + "?schema=No+Name", invalid);
    expect_refused("postgresql://ada" + rest + "?password=a&password=" + secret, unavailable);
    expect_refused("mysql://ada:" + secret + rest, invalid);
}

TEST_CASE("a URI that no store can have is refused") {
    for (const std::string end :
         {"?schema=", "?schema=pg_mine", "?schema=A", "?schema=a%20b", "?pooler=session",
          "?nonsense=1", "?schema=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
        expect_refused(postgres_uri() + end, invalid);
    }
}

TEST_CASE("a missing database is not found") {
    expect_refused(changed(postgres_uri(), "daybook", "no_such_database"), not_found,
                   "no_such_database");
}

TEST_CASE("a user without rights is refused and nothing is made [E22]") {
    const PrivateCluster cluster;
    PostgresConnection server{cluster.uri()};
    server.query("CREATE ROLE bob LOGIN");
    const std::string uri =
        changed(cluster.uri(), "bob", database_of(cluster.uri())) + "?schema=orders";
    expect_refused(uri, denied, "right");
    CHECK(server.query("SELECT 1 FROM pg_namespace WHERE nspname = 'orders'").empty());

    EventStore::open(cluster.uri() + "?schema=orders")
        .append("thing-1", any_version, {numbered(1)});
    expect_refused(uri, denied, "right");
    server.query("GRANT USAGE ON SCHEMA orders TO bob");
    expect_refused(uri, denied, "right");
    server.query("GRANT SELECT ON ALL TABLES IN SCHEMA orders TO bob");
    EventStore reading = EventStore::open(uri);
    CHECK(reading.head() == Position{1});
    CHECK_THROWS_AS(reading.append("thing-1", any_version, {numbered(1)}), DeniedError);
    CHECK_THROWS_AS(
        reading.transact([](Transaction& tx) { tx.append("thing-1", any_version, {numbered(1)}); }),
        DeniedError);
    CHECK(reading.head() == Position{1});
}

TEST_CASE("a store on PostgreSQL that is from the future is refused and left as it is") {
    const PostgresSchema schema;
    EventStore::open(schema.uri()).append("thing-1", any_version, {numbered(1)});
    PostgresConnection server{postgres_uri()};
    const std::string version = schema.name() + ".daybook_schema";
    const std::string newer =
        server.field("UPDATE " + version + " SET version = version + 1 RETURNING version");
    expect_refused(schema.uri(), invalid, "newer");
    CHECK(server.field("SELECT version FROM " + version) == newer);
    server.query("UPDATE " + version + " SET version = version - 1");
    CHECK(EventStore::open(schema.uri()).head() == Position{1});
}

TEST_CASE("a schema of another program is refused and left as it is") {
    const PostgresSchema schema;
    PostgresConnection server{postgres_uri()};
    server.query("CREATE SCHEMA " + schema.name() + "; CREATE TABLE " + schema.name() +
                 ".customer(name text)");
    expect_refused(schema.uri(), invalid, "not Daybook's");
    CHECK(server.field("SELECT count(*) FROM information_schema.tables WHERE table_schema = '" +
                       schema.name() + "'") == "1");
}

TEST_CASE("a database that is not in UTF8 is refused") {
    const PrivateCluster cluster;
    PostgresConnection{cluster.uri()}.query(
        "CREATE DATABASE old ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    expect_refused(changed(cluster.uri(), "daybook", "old"), invalid, "UTF8");
}

TEST_CASE("a server that is too old is refused and one that is just new enough is not") {
    WireProxy proxy{postgres_uri()};
    const PostgresSchema schema;
    const std::string uri = proxy.uri() + "?schema=" + schema.name();
    for (const std::string version : {"12.22", "9.6.24"}) {
        proxy.replace_parameter("server_version", version);
        expect_refused(uri, unavailable, "is PostgreSQL " + version.substr(0, version.find('.')));
        expect_refused(uri, unavailable, "needs 13 or newer");
    }
    CHECK_FALSE(schema.exists());
    proxy.replace_parameter("server_version", "13.0");
    CHECK(EventStore::open(uri).append("thing-1", any_version, {numbered(1)}).position ==
          Position{1});
}

TEST_CASE("a server that is gone is unavailable and the store works when it is back") {
    PrivateCluster cluster;
    EventStore store = EventStore::open(cluster.uri(), {.busy_wait_max = 2s, .reply_wait_max = 2s});
    store.append("thing-1", any_version, {numbered(1)});
    cluster.kill();
    expect_refused(cluster.uri(), unavailable);
    const auto append = [&] { store.append("thing-1", any_version, {numbered(2)}); };
    const auto transact = [&] {
        store.transact([](Transaction& tx) { tx.append("thing-1", any_version, {numbered(2)}); });
    };
    // What was sent to a server that died may have been done.
    CHECK_THROWS_AS(append(), Error);
    CHECK_THROWS_AS(append(), UnavailableError);
    CHECK_THROWS_AS(transact(), UnavailableError);
    CHECK_THROWS_AS((void)store.head(), UnavailableError);
    CHECK_THROWS_AS((void)store.version("thing-1"), UnavailableError);
    cluster.restart();
    CHECK(store.head() == Position{1});
    append();
    transact();
    CHECK(store.version("thing-1") == Version{3});
}

TEST_CASE("a server that does not answer is unavailable at the deadline") {
    WireProxy proxy{postgres_uri()};
    const PostgresSchema schema;
    const std::string uri = proxy.uri() + "?schema=" + schema.name();
    for (const std::uint64_t message : {1, 2, 3}) {
        proxy.arm({.message = message, .action = WireProxy::Action::stall});
        CHECK_THROWS_AS(EventStore::open(uri, {.busy_wait_max = 300ms, .reply_wait_max = 300ms}),
                        UnavailableError);
        proxy.heal();
    }
    CHECK_NOTHROW(EventStore::open(uri));
}

TEST_SUITE_END();
