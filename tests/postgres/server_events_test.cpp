#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/daybook.hpp"
#include "patience.hpp"
#include "postgres_server.hpp"
#include "private_cluster.hpp"
#include "temporary_directory.hpp"
#include "wire_proxy.hpp"

// All that a program runs on a store, running at once, during failures and restarts of the server.
// No worker may end, no verdict may be false, and all work continues afterwards.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

/// How long a condition may take to come true on a machine that is busy with other things.
const StoreOptions impatient{.busy_wait_max = 3s, .reply_wait_max = 3s};

struct Ordered {
    static constexpr EventType type{"shop.ordered", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Ordered::n); }
};
struct Printed {
    static constexpr EventType type{"shop.printed", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Printed::n); }
};
struct Ship {
    static constexpr EventType type{"shop.ship", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Ship::n); }
};
struct Shipped {
    static constexpr EventType type{"shop.shipped", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Shipped::n); }
};

struct Orders : Projection<Orders, Ordered> {
    static constexpr std::string_view name = "orders";
    static constexpr int version = 1;
    static constexpr std::string_view schema = "CREATE TABLE orders(n BIGINT PRIMARY KEY);";
    void on(const Recorded<Ordered>& e, View& view) {
        view.exec("INSERT INTO orders(n) VALUES(?)", e->n);
    }
};

SagaDefinition shipping() {
    return saga<Ship>("shipping", 1)
        .starts_on<Ordered>([](const Ordered& e) { return Ship{e.n}; })
        .step("ship")
        .send("carrier", [](const Ship& data) { return data; })
        .on<Shipped>()
        .timeout(10s)
        .retry(every(100ms).attempts(1'000))
        .retriable()
        .build();
}

/// `eventually`, while the server may be away.
template <class Condition>
bool comes_true(const Condition& condition) {
    return eventually([&] {
        try {
            return condition();
        } catch (const Error&) {
            return false;
        }
    });
}

/// Clients that place orders, each a transaction with a message or a plain append, and the results
/// that they got.
class Clients {
public:
    Clients(const std::string& uri, std::size_t count, std::uint64_t first = 0) : results_(count) {
        for (std::size_t i = 0; i < count; ++i) {
            EventStore store = EventStore::open(uri, impatient);
            threads_.emplace_back([this, i, first, store](const std::stop_token& stop) mutable {
                for (std::uint64_t n = first + i; !stop.stop_requested(); n += results_.size()) {
                    order(store, n, results_[i]);
                    std::this_thread::sleep_for(2ms);
                }
            });
        }
    }
    void stop() { threads_.clear(); }

    struct Results {
        std::set<std::uint64_t> done;
        std::set<std::uint64_t> nothing;
        std::set<std::uint64_t> in_doubt;
        std::string wrong;  ///< an error of a kind that an outage must not cause
        std::atomic<std::uint64_t> count{0};
    };
    const std::vector<Results>& results() const { return results_; }
    /// Waits until every client has placed an order that it started after this call.
    void require_progress() {
        for (Results& results : results_) {
            const std::uint64_t before = results.count;
            REQUIRE(comes_true([&] { return results.count > before + 1; }));
        }
    }

private:
    static void order(EventStore& store, std::uint64_t n, Results& results) {
        const std::string stream = "order-" + std::to_string(n);
        try {
            if (n % 2 == 0) {
                store.transact([&](Transaction& tx) {
                    tx.append(stream, no_stream, {Ordered{n}});
                    tx.publish("printer", Ordered{n});
                });
            } else {
                store.append(stream, no_stream, {Ordered{n}});
            }
            results.done.insert(n);
            ++results.count;
        } catch (const UnavailableError&) {
            results.nothing.insert(n);
            std::this_thread::sleep_for(20ms);
        } catch (const InDoubtError&) {
            results.in_doubt.insert(n);
        } catch (const std::exception& error) {
            results.nothing.insert(n);
            results.wrong = error.what();
        }
    }

    std::vector<Results> results_;
    std::vector<std::jthread> threads_;
};

/// All readers of the log and workers on it, each on threads of its own.
class Workers {
public:
    explicit Workers(const std::string& uri)
        : store_(EventStore::open(uri, impatient)),
          transport_(store_),
          relay_(store_, transport_, relay_options()),
          orchestrator_(store_, transport_),
          runner_(store_),
          mirror_(store_, EventStore::open(directory_.file("mirror.db")), {.retry = every(100ms)}),
          subscription_(subscribe(store_, {.retry = every(100ms).attempts(1'000'000)},
                                  [this](EventView event) { count(event); })) {
        transport_.consumer("printer").on<Ordered>([](const Ordered& order, Transaction& tx) {
            tx.append("print-" + std::to_string(order.n), any_version, {Printed{order.n}});
        });
        transport_.consumer("carrier").on<Ship>(
            [](const Ship& command, const Message& message, Transaction& tx) {
                reply(tx, message, Shipped{command.n});
            });
        orchestrator_.add(shipping());
        runner_.add(Orders{});
        runner_.start();
        orchestrator_.start();
        relay_.start();
        mirror_.start();
    }

    /// Waits until no worker has anything left to do.
    void finish() {
        finish_work();
        const Position head = store_.head();
        CHECK_MESSAGE(mirror_.wait_for(head, patience()), mirror_.status().last_error);
        CHECK_MESSAGE(subscription_.wait_for(head, patience()), subscription_.last_error());
        CHECK(seen_ == head.value());
        CHECK_MESSAGE(in_order_, "the subscription has seen each event once, in order");
        const EventStore copy = EventStore::open(directory_.file("mirror.db"));
        CHECK(hash_log(copy, head) == hash_log(store_, head));
    }
    /// The same after the log was replaced: the mirror and the subscription of the old log must
    /// have ended with an error.
    void finish_in_other_log() {
        finish_work();
        CHECK(comes_true([&] { return mirror_.status().state == MirrorState::halted; }));
        CHECK_MESSAGE(mirror_.status().last_error != "", "the mirror has the reason");
        CHECK(comes_true([&] { return subscription_.state() == SubscriptionState::failed; }));
        CHECK_MESSAGE(subscription_.last_error() != "", "the subscription has the reason");
    }

    const EventStore& store() const { return store_; }

private:
    void finish_work() {
        const bool delivered = comes_true([&] { return outbox_status(store_).unsent() == 0; });
        CHECK_MESSAGE(delivered, relay_.last_error());
        const auto ended = [&] { return SagaIndex{store_}.count({.unfinished = true}) == 0; };
        const bool shipped = comes_true([&] {
            return ended() && SagaIndex{store_}.count() == orders() &&
                   outbox_status(store_).unsent() == 0;
        });
        CHECK_MESSAGE(shipped, orchestrator_.last_error());
        CHECK_MESSAGE(runner_.wait_for(store_.head(), patience()),
                      runner_.status("orders").last_error);
        std::int64_t rows = 0;
        runner_.query("orders", [&](Sql& sql) {
            rows = sql.integer("SELECT count(*) FROM orders").value_or(0);
        });
        CHECK(static_cast<std::uint64_t>(rows) == orders());
    }
    static RelayOptions relay_options() {
        RelayOptions options{.name = "relay"};
        options.retry = every(50ms).attempts(10'000);
        options.down_pause = 50ms;
        return options;
    }
    void count(EventView event) {
        in_order_ = in_order_ && event.position() == Position{seen_ + 1};
        ++seen_;
    }
    std::uint64_t orders() const {
        std::uint64_t count = 0;
        for (const EventView event : store_.read_all({.filter = {.types = {"shop.ordered"}}})) {
            count += event.position() > Position{} ? 1 : 0;
        }
        return count;
    }

    const TemporaryDirectory directory_;
    EventStore store_;
    LocalTransport transport_;
    Relay relay_;
    SagaOrchestrator orchestrator_;
    ProjectionRunner runner_;
    Mirror mirror_;
    std::atomic<std::uint64_t> seen_{0};
    std::atomic<bool> in_order_{true};
    Subscription subscription_;
};

/// Checks the results of the clients against the log, which must hold each effect once.
void check_verdicts(const EventStore& store, const Clients& clients) {
    std::map<std::uint64_t, int> orders;
    std::map<std::uint64_t, int> prints;
    std::map<std::string, std::uint64_t> versions;
    std::uint64_t position = 0;
    bool dense = true;
    for (const EventView event : store.read_all()) {
        dense = dense && event.position() == Position{++position};
        dense = dense && event.version() == Version{++versions[std::string(event.stream())]};
        if (event.is<Ordered>()) ++orders[event.as<Ordered>().n];
        if (event.is<Printed>()) ++prints[event.as<Printed>().n];
    }
    CHECK_MESSAGE(dense, "positions and versions have no holes");
    std::size_t done = 0;
    std::size_t in_doubt = 0;
    for (const Clients::Results& results : clients.results()) {
        CHECK(results.wrong == "");
        for (const std::uint64_t n : results.done) CHECK_MESSAGE(orders[n] == 1, n);
        for (const std::uint64_t n : results.nothing) CHECK_MESSAGE(orders[n] == 0, n);
        for (const std::uint64_t n : results.in_doubt) CHECK_MESSAGE(orders[n] <= 1, n);
        done += results.done.size();
        in_doubt += results.in_doubt.size();
    }
    for (const auto& [n, count] : orders) {
        if (n % 2 == 0 && count > 0) CHECK_MESSAGE(prints[n] == 1, n);
    }
    MESSAGE(done << " orders done, " << in_doubt << " in doubt, " << position << " events");
}

/// The server as its administrator sees it.
class Administrator {
public:
    explicit Administrator(std::string uri) : uri_(std::move(uri)) {}

    void run(const std::string& statements) const { PostgresConnection{uri_}.query(statements); }
    bool drops(const std::string& schema) const {
        try {
            run("SET client_min_messages = warning; DROP SCHEMA " + quoted_name(schema) +
                " CASCADE");
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }
    void end_all() const {
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
    }
    void cancel_for(std::chrono::milliseconds time) const {
        PostgresConnection connection{uri_};
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
            connection.query(
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
            std::this_thread::sleep_for(5ms);
        }
    }
    void lock_for(const std::string& table, std::chrono::milliseconds time) const {
        PostgresConnection connection{uri_};
        connection.query("BEGIN; LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
        std::this_thread::sleep_for(time);
        connection.query("COMMIT");
    }

private:
    std::string uri_;
};

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("a program survives what happens to its server, and no verdict is false [B7]") {
    PrivateCluster cluster;
    const PostgresSchema schema{cluster.uri()};
    const Administrator administrator{cluster.uri()};
    Workers workers{schema.uri()};
    Clients clients{schema.uri(), 3};
    clients.require_progress();

    SUBCASE("it is restarted, and its connections are ended") {
        cluster.kill();
        cluster.restart();
        clients.require_progress();
        administrator.end_all();
    }
    SUBCASE("statements are cancelled, and tables locked") {
        administrator.cancel_for(1s);
        clients.require_progress();
        for (const char* table : {"daybook_event", "daybook_outbox", "daybook_saga"}) {
            administrator.lock_for(quoted_name(schema.name()) + "." + table, 500ms);
        }
    }
    SUBCASE("the settings of role and database change") {
        administrator.run(
            "ALTER ROLE daybook SET default_transaction_isolation = 'serializable'; "
            "ALTER ROLE daybook SET bytea_output = 'escape'; "
            "ALTER ROLE daybook SET extra_float_digits = 0; "
            "ALTER ROLE daybook SET search_path = pg_catalog; "
            "ALTER ROLE daybook SET DateStyle = 'German'; "
            "ALTER ROLE daybook SET standard_conforming_strings = off");
        administrator.end_all();
        clients.require_progress();
        // The database does not take writes for a while.
        administrator.run("ALTER DATABASE daybook_test SET default_transaction_read_only = on");
        administrator.end_all();
        std::this_thread::sleep_for(500ms);
        administrator.run(
            "BEGIN READ WRITE; "
            "ALTER DATABASE daybook_test RESET default_transaction_read_only; COMMIT");
        administrator.end_all();
    }
    SUBCASE("the store is away, as while a backup of it is put back") {
        const std::string name = quoted_name(schema.name());
        administrator.run("ALTER SCHEMA " + name + " RENAME TO away");
        std::this_thread::sleep_for(1s);
        administrator.run("ALTER SCHEMA away RENAME TO " + name);
    }
    clients.require_progress();
    clients.stop();
    workers.finish();
    check_verdicts(workers.store(), clients);
}

TEST_CASE("a program survives a store that is dropped and created again [B7]") {
    const PrivateCluster cluster;
    const PostgresSchema schema{cluster.uri()};
    const Administrator administrator{cluster.uri()};
    Workers workers{schema.uri()};
    Clients clients{schema.uri(), 3};
    clients.require_progress();
    // The drop and the running workers may block each other: the server ends the drop as a
    // deadlock.
    REQUIRE(comes_true([&] { return administrator.drops(schema.name()); }));
    std::this_thread::sleep_for(500ms);
    EventStore::open(schema.uri(), impatient);
    clients.require_progress();
    clients.stop();
    for (const Clients::Results& results : clients.results()) CHECK(results.wrong == "");
    // The first clients have results of both logs, so new clients are started for the new log.
    Clients others{schema.uri(), 3, 1'000'000};
    others.require_progress();
    others.stop();
    workers.finish_in_other_log();
    check_verdicts(workers.store(), others);
}

TEST_CASE("a program survives a standby that takes over after a while [B7]") {
    PrivateCluster cluster;
    WireProxy proxy{cluster.uri()};
    const std::string uri = proxy.uri() + "?schema=shop";
    EventStore::open(uri, impatient);
    const std::string standby = cluster.start_standby();
    // Otherwise what was acknowledged may be missing in the standby.
    Administrator{cluster.uri()}.run("ALTER SYSTEM SET synchronous_standby_names = '*'");
    Administrator{cluster.uri()}.run("SELECT pg_reload_conf()");
    Workers workers{uri};
    Clients clients{uri, 3};
    clients.require_progress();
    // For a while the address leads to a server that cannot be written to.
    proxy.redirect(standby);
    proxy.cut_all();
    std::this_thread::sleep_for(1s);
    cluster.kill();
    cluster.promote_standby();
    clients.require_progress();
    clients.stop();
    workers.finish();
    check_verdicts(workers.store(), clients);
}

TEST_SUITE_END();
