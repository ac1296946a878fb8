#include <chrono>
#include <set>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

std::uint64_t cents_of(const EventStore& store, const std::string& stream) {
    std::uint64_t cents = 0;
    ReadModels{store}.query("balances", [&](Sql& sql) {
        cents = static_cast<std::uint64_t>(
            sql.integer("SELECT cents FROM balances WHERE account = ?", stream).value_or(0));
    });
    return cents;
}

/// From now on this connection may write counts that do not add up to the position.
void drop_checks(Sql& sql) {
    if (!test::on_postgres()) return sql.script("PRAGMA ignore_check_constraints = ON");
    std::vector<std::string> names;
    sql.each(
        "SELECT quote_ident(conname) FROM pg_constraint WHERE contype = 'c'"
        " AND conrelid = 'daybook_checkpoint'::regclass",
        [&](const SqlRow& row) { names.emplace_back(row.text(0)); });
    for (const auto& name : names) {
        sql.script("ALTER TABLE daybook_checkpoint DROP CONSTRAINT " + name);
    }
}

struct Nameless : Projection<Nameless, Opened> {
    static constexpr std::string_view name = "with blank";
    static constexpr int version = 1;
    static constexpr std::string_view schema = "CREATE TABLE t(a TEXT)";
    void on(const Recorded<Opened>&, View&) {}
};

}  // namespace

TEST_CASE("a projection makes rows of what it handles and counts what it does not") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{100}, Deposited{50}});
    store.append("ship-1", no_stream, {Sunk{3}});
    ProjectionRunner runner{store};
    runner.add(Balances{});
    CHECK(runner.names() == std::vector<std::string>{"balances"});
    CHECK(runner.status("balances").state == ProjectionState::absent);
    CHECK(runner.run_once() == 3);
    CHECK(runner.run_once() == 0);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    const ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::active);
    CHECK(status.defined);
    CHECK(status.version == 1);
    CHECK(status.lag == 0);
    CHECK(status.accounting.position == Position{4});
    CHECK(status.accounting.applied == 3);
    CHECK(status.accounting.filtered == 1);
    CHECK(status.accounting.sum() == 4);
    store.append("ship-2", no_stream, {Sunk{4}});
    CHECK(runner.status("balances").lag == 1);
    CHECK(runner.run_once() == 0);
    CHECK(runner.status("balances").accounting.filtered == 2);
}

TEST_CASE("every event counts once however often the runner is restarted") {
    const test::StoreLocation location;
    History history{7};
    for (int round = 0; round < 10; ++round) {
        auto store = location.open();
        history.append_to(store, 40);
        ProjectionRunner runner{store, {.batch_events_max = 7}};
        runner.add(Balances{});
        runner.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
    }
}

TEST_CASE("every event counts once when a handler dies at each event in turn") {
    auto store = test::new_store();
    History{3}.append_to(store, 60);
    std::set<Position> died;
    ProjectionRunner runner{store, {.batch_events_max = 10}};
    runner.add(Balances{[&](Position position) {
        // Thrown after the statement of the handler, so that the model stays right only if the
        // transaction is rolled back.
        if (died.insert(position).second) throw std::runtime_error("died");
    }});
    for (int i = 0; i < 1'000 && runner.status("balances").lag > 0; ++i) runner.run_once();
    CHECK(died.size() > 50);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").last_error == "");
}

TEST_CASE("a started runner applies what is appended and can be waited for") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.add(KeyedBalances{});
    runner.start();
    const auto opened = store.append(account(1), no_stream, {Opened{"Ada"}});
    CHECK(runner.wait_for(opened.position, test::patience()));
    CHECK(cents_of(store, account(1)) == 0);
    for (int i = 1; i <= 50; ++i) {
        const auto done = store.append(account(1), stream_exists, {Deposited{1}});
        REQUIRE(runner.wait_for(done.position, test::patience()));
        CHECK(cents_of(store, account(1)) == static_cast<std::uint64_t>(i));
    }
    runner.stop();
    const auto late = store.append(account(1), stream_exists, {Deposited{1}});
    CHECK_FALSE(runner.wait_for(late.position, 20ms));
    runner.start();
    CHECK(runner.wait_for("keyed-balances", late.position, test::patience()));
}

TEST_CASE("a model that was waited for can be queried, even if the log is empty") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.start();
    REQUIRE(runner.wait_for(store.head(), test::patience()));
    CHECK(cents_of(store, "account-1") == 0);
}

TEST_CASE("a wait for ever for a model ends when the model has come there, not at once [B10]") {
    auto store = test::new_store();
    ProjectionRunner runner{store, {.poll = std::chrono::milliseconds::max()}};
    runner.add(Balances{});
    const auto opened = store.append(account(1), no_stream, {Opened{"Ada"}});
    std::jthread late{[&] {
        std::this_thread::sleep_for(30ms);
        runner.start();
    }};
    CHECK(runner.wait_for("balances", opened.position, std::chrono::milliseconds::max()));
    late.join();
    CHECK(runner.wait_for(opened.position, std::chrono::milliseconds::max()));
    CHECK_THROWS_AS((ProjectionRunner{store, {.poll = 0ms}}), InvalidError);
}

TEST_CASE("waiting ends at the timeout and names what does not exist") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    const auto begun = std::chrono::steady_clock::now();
    CHECK_FALSE(runner.wait_for(Position{5}, 30ms));
    CHECK(std::chrono::steady_clock::now() - begun >= 30ms);
    CHECK(runner.wait_for(Position{0}, 0ms));
    CHECK_THROWS_WITH_AS(runner.wait_for("nobody", Position{1}, 10ms),
                         doctest::Contains("'nobody'"), NotFoundError);
    CHECK_THROWS_AS(runner.status("nobody"), NotFoundError);
    CHECK_THROWS_AS(runner.rebuild("nobody"), NotFoundError);
    CHECK_THROWS_AS(runner.query("nobody", [](Sql&) {}), NotFoundError);
}

TEST_CASE("a reader without the definition finds the model by its name and cannot write it") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{5}});
    {
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
    }
    const ReadModels models{store};
    CHECK(models.accounting("balances").position == Position{2});
    models.query("balances", [](Sql& sql) {
        CHECK(sql.integer("SELECT cents FROM balances") == 5);
        CHECK_THROWS_AS(sql.exec("DELETE FROM balances"), Error);
    });
    models.query("balances",
                 [](Sql& sql) { CHECK(sql.integer("SELECT count(*) FROM balances") == 1); });
    CHECK_THROWS_AS(models.query("balances", [](Sql&) { throw std::runtime_error("reader"); }),
                    std::runtime_error);
    const ProjectionRunner empty{store};
    REQUIRE(empty.status().size() == 1);
    CHECK(empty.status()[0].name == "balances");
    CHECK_FALSE(empty.status()[0].defined);
    CHECK(empty.status()[0].accounting.applied == 2);
}

TEST_CASE("a definition that cannot be is refused with its name") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    CHECK_THROWS_WITH_AS(runner.add(Nameless{}), doctest::Contains("with blank"), InvalidError);
    runner.add(Balances{});
    CHECK_THROWS_WITH_AS(runner.add(Balances{}), doctest::Contains("added before"), InvalidError);
    runner.run_once();
    CHECK_THROWS_WITH_AS(runner.add(KeyedBalances{}), doctest::Contains("too late"), InvalidError);
}

TEST_CASE("a model that is ahead of its log is not fed any further") {
    auto store = test::new_store();
    const auto run = [&] {
        ProjectionRunner runner{store, {.rebuild_outdated = false}};
        runner.add(Balances{});
        runner.run_once();
        return runner.status("balances");
    };
    for (int i = 0; i < 3; ++i) store.append(account(i), no_stream, {Opened{"x"}});
    run();
    // A checkpoint beyond the end, as if the log had lost its last events.
    detail::engine_of(store)
        .read_models()
        .open("balances.v1.b1", ReadModelUse::feed)
        ->sql()
        .exec("UPDATE daybook_checkpoint SET position = 9, applied = 9");
    const ProjectionStatus status = run();
    CHECK(status.state == ProjectionState::halted);
    CHECK(status.last_error.find("rebuild it") != std::string::npos);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.rebuild("balances");
    runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::active);
    CHECK(rows(store, "balances", "balances").size() == 3);
}

TEST_CASE("a model whose database is missing is created again") {
    auto store = test::new_store();
    History{5}.append_to(store, 50);
    for (int round = 0; round < 2; ++round) {
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        detail::engine_of(store).read_models().remove("balances.v1.b" + std::to_string(round + 1));
    }
}

TEST_CASE("a checkpoint that does not add up is refused") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}});
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    const auto model =
        detail::engine_of(store).read_models().open("balances.v1.b1", ReadModelUse::feed);
    CHECK_THROWS_AS(model->sql().exec("UPDATE daybook_checkpoint SET applied = 7"), InvalidError);
    drop_checks(model->sql());
    model->sql().exec("UPDATE daybook_checkpoint SET applied = 7");
    store.append(account(1), stream_exists, {Deposited{1}});
    runner.run_once();
    const ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::halted);
    CHECK(status.last_error.find("7 applied + 0 filtered") != std::string::npos);
}

TEST_CASE("a runner that is to work in batches of nothing is refused") {
    auto store = test::new_store();
    CHECK_THROWS_AS(ProjectionRunner(store, {.batch_events_max = 0}), InvalidError);
}
