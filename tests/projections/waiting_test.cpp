#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "applier.hpp"
#include "bank.hpp"
#include "captured_log.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "daybook/schema/event_catalog.hpp"
#include "handler_sql.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

/// On a connection of its own, past the store.
void change_store(const test::StoreLocation& location, const std::string& statement) {
    if (!test::on_postgres()) {
        auto store = location.open();
        store.transact([&](Transaction& tx) { detail::store_sql(tx).script(statement); });
        return;
    }
    const std::string schema = location.uri().substr(location.uri().find("schema=") + 7);
    test::PostgresConnection{test::postgres_uri()}.query("SET search_path TO \"" + schema + "\"; " +
                                                         statement);
}

/// An engine in which everything fails.
struct BrokenSql final : Sql {
    std::int64_t execute(std::string_view, Parameters) override { throw StorageError("disk"); }
    std::int64_t query(std::string_view, Parameters, const Visitor&) override {
        throw StorageError("disk");
    }
    void script(std::string_view) override { throw StorageError("disk"); }
    std::vector<SqlRelation> relations() override { return {}; }
    std::vector<std::string> columns(std::string_view) override { return {}; }
};

struct Moved {
    static constexpr EventType type{"account.moved", 1};
    std::string to;
    static constexpr auto fields() { return daybook::fields("to", &Moved::to); }
};

struct Moves : Projection<Moves, Moved> {
    static constexpr std::string_view name = "moves";
    static constexpr int version = 1;
    static constexpr std::string_view schema = "CREATE TABLE moves(k TEXT);";
    void on(const Recorded<Moved>& e, View& view) {
        view.exec("INSERT INTO moves(k) VALUES(?)", e->to);
    }
};

}  // namespace

TEST_CASE("a runner whose tables are away for a while waits, says so and goes on [B7]") {
    const test::StoreLocation location;
    CapturedLog log;
    auto store = location.open(log.options());
    store.append(account(1), no_stream, {Opened{"Ada"}});
    ProjectionRunner runner{store, {.poll = 1ms}};
    runner.add(Balances{});
    runner.add(KeyedBalances{}, Lifecycle::inline_);
    runner.start();
    REQUIRE(runner.wait_for(store.head(), test::patience()));
    std::vector<std::string> tables{"daybook_projection"};
    // On SQLite no transaction can begin without the event table, so the test could not rename it
    // back.
    if (test::on_postgres()) tables.emplace_back("daybook_event");
    for (const std::string& table : tables) {
        change_store(location, "ALTER TABLE " + table + " RENAME TO away");
        CHECK(eventually([&] { return log.has(table); }));
        change_store(location, "ALTER TABLE away RENAME TO " + table);
        store.append(account(1), stream_exists, {Deposited{1}});
        CHECK(runner.wait_for(store.head(), test::patience()));
    }
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").state == ProjectionState::active);
    CHECK(runner.status("balances").last_error.empty());
}

TEST_CASE("the text of a handler's exception need not be UTF-8 to park its event [B8]") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}});
    store.append(account(2), no_stream, {Opened{"Bob"}});
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        ProjectionRunner runner{store};
        runner.add(BalancesThat<OnFailure::park>{[](Position position) {
                       if (position == Position{1}) {
                           throw std::runtime_error(std::string("caf\xe9\0is closed", 14));
                       }
                   }},
                   lifecycle);
        for (int i = 0; i < 5; ++i) runner.run_once();
        const ProjectionStatus status = runner.status("balances");
        CHECK(status.state == ProjectionState::active);
        CHECK(status.accounting.parked == 1);
        CHECK(status.accounting.applied == 1);
        REQUIRE(runner.parked("balances").size() == 1);
        CHECK(runner.parked("balances")[0].error.starts_with("caf\uFFFD"));
    }
}

TEST_CASE("the text of a handler's exception need not be UTF-8 to halt its projection [B8]") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}});
    ProjectionRunner runner{store};
    runner.add(Balances{[](Position) { throw std::runtime_error("caf\xe9 is closed"); }});
    for (int i = 0; i < 5; ++i) runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::halted);
    CHECK(runner.status("balances").last_error.find("caf\uFFFD is closed") != std::string::npos);
}

TEST_CASE("an error of the store's kinds that a handler itself throws is the event's own [B8]") {
    for (const int kind : {0, 1, 2, 3}) {
        auto store = test::new_store();
        store.append(account(1), no_stream, {Opened{"Ada"}});
        store.append(account(2), no_stream, {Opened{"Bob"}});
        ProjectionRunner runner{store, {.poll = 1ms}};
        runner.add(BalancesThat<OnFailure::park>{[&](Position position) {
            if (position != Position{1}) return;
            if (kind == 0) throw StorageError("no room in the archive");
            if (kind == 1) throw CancelledError("given up");
            if (kind == 2) throw InDoubtError("was it sent?");
            throw NotFoundError("no such customer");
        }});
        for (int i = 0; i < 5; ++i) runner.run_once();
        CHECK(runner.status("balances").state == ProjectionState::active);
        CHECK(runner.status("balances").accounting.parked == 1);
        CHECK(rows(store, "balances", "balances").size() == 1);
    }
}

TEST_SUITE("no-store") {
    TEST_CASE(
        "what fails in the engine is never an event's fault, though its handler hides it "
        "[B8]") {
        BrokenSql broken;
        detail::HandlerSql sql{broken};
        const auto hides = [&] {
            try {
                sql.exec("INSERT INTO t VALUES(1)");
            } catch (...) {}
        };
        CHECK_THROWS_AS(detail::error_of(sql, hides), StorageError);
        detail::HandlerSql again{broken};
        const auto renames = [&] {
            try {
                again.integer("SELECT 1");
            } catch (...) {
                throw std::runtime_error("something");
            }
        };
        CHECK_THROWS_AS(detail::error_of(again, renames), StorageError);
    }
}

TEST_CASE(
    "an event whose old name gets an upcaster is not lost to a model that had filtered it "
    "[E22]") {
    const test::StoreLocation location;
    const EventType old_type{"account.relocated", 1};
    {
        CapturedLog log;
        auto store = location.open(log.options());
        store.append(account(1), no_stream, {NewEvent{old_type, R"({"to":"Rome"})"}});
        ProjectionRunner runner{store};
        runner.add(Moves{});
        runner.run_once();
        CHECK(runner.status("moves").accounting.filtered == 1);
        CHECK(log.has("handles 'account.moved', and no event of the log has that name"));
    }
    auto catalog = std::make_shared<EventCatalog>();
    catalog->add<Moved>();
    catalog->upcast(old_type, {Moved::type},
                    [](const nlohmann::json& old) -> std::vector<UpcastEvent> {
                        return {Moved{old.at("to").get<std::string>()}};
                    });
    CapturedLog log;
    StoreOptions options = log.options();
    options.catalog = catalog;
    auto store = location.open(options);
    ProjectionRunner watching{store, {.rebuild_outdated = false}};
    watching.add(Moves{});
    watching.run_once();
    CHECK(watching.status("moves").state == ProjectionState::outdated);
    CHECK(watching.status("moves").last_error.find("other upcasters") != std::string::npos);
    ProjectionRunner runner{store};
    runner.add(Moves{});
    runner.run_once();
    CHECK(rows(store, "moves", "moves") == std::vector<std::string>{"Rome|"});
    CHECK(log.has("is rebuilt"));
}
