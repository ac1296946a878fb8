#include <set>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

/// Fails for the positions in it.
struct Poison {
    std::shared_ptr<std::set<Position>> positions = std::make_shared<std::set<Position>>();

    Probe probe() const {
        return [all = positions](Position position) {
            if (all->contains(position)) throw std::runtime_error("poison");
        };
    }
};

/// Two accounts: 1..3 and 5 are of the first, 4 and 6 of the second.
void fill(EventStore& store) {
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{1}, Deposited{10}});
    store.append(account(2), no_stream, {Opened{"Bob"}});
    store.append(account(1), stream_exists, {Deposited{100}});
    store.append(account(2), stream_exists, {Deposited{7}});
}

std::int64_t cents(const ProjectionRunner& runner, int number) {
    std::int64_t found = -1;
    runner.query("balances", [&](Sql& sql) {
        found = sql.integer("SELECT cents FROM balances WHERE account = ?", account(number))
                    .value_or(-1);
    });
    return found;
}

struct Broken : Projection<Broken, Opened> {
    static constexpr std::string_view name = "broken";
    static constexpr int version = 1;
    static constexpr std::string_view schema = "CREATE TABEL t(a TEXT)";
    void on(const Recorded<Opened>&, View&) {}
};

struct Row {
    std::string account;
    double share = 0;
    static constexpr auto fields() {
        return daybook::fields("account", &Row::account, "share", &Row::share);
    }
};

struct Shares : KeyedProjection<Shares, Row, Opened, Deposited> {
    static constexpr std::string_view name = "shares";
    static constexpr int version = 1;
    static constexpr ErrorPolicy errors{every(0ms).attempts(1), OnFailure::skip};
    static constexpr std::string_view indexes = "CREATE UNIQUE INDEX no_two ON shares(share);";
    void on(const Recorded<Opened>& e, Row& row) {
        row.share = static_cast<double>(e.position().value());
    }
    void on(const Recorded<Deposited>& e, Row& row) { row.share = static_cast<double>(e->cents); }
};

}  // namespace

TEST_CASE("an event that fails once is tried again and nothing is lost or doubled") {
    auto store = test::new_store();
    fill(store);
    int failures = 2;
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position position) {
        if (position == Position{3} && failures-- > 0) throw std::runtime_error("passing trouble");
    }});
    for (int i = 0; i < 10; ++i) runner.run_once();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").state == ProjectionState::active);
}

TEST_CASE("an event that goes on failing halts its projection and no other") {
    auto store = test::new_store();
    fill(store);
    const Poison poison;
    poison.positions->insert(3);
    ProjectionRunner runner{store};
    runner.add(Balances{poison.probe()});
    runner.add(KeyedBalances{});
    for (int i = 0; i < 10; ++i) runner.run_once();
    CHECK(rows(store, "keyed-balances", "keyed-balances") == expected_rows(store));
    ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::halted);
    CHECK(status.accounting.position == Position{2});
    CHECK(status.last_error.find("event 3 'account.deposited' of stream 'account-1' failed 3") !=
          std::string::npos);
    CHECK(status.last_error.find("poison") != std::string::npos);
    CHECK(cents(runner, 1) == 1);
    CHECK_FALSE(runner.wait_for(Position{6}, daybook::test::patience()));

    // Resuming without a correction of the handler halts it again.
    runner.resume("balances");
    for (int i = 0; i < 10; ++i) runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::halted);
    poison.positions->clear();
    runner.resume("balances");
    runner.run_once();
    status = runner.status("balances");
    CHECK(status.state == ProjectionState::active);
    CHECK(status.last_error.empty());
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a halted projection tries again in a new program") {
    auto store = test::new_store();
    fill(store);
    {
        const Poison poison;
        poison.positions->insert(1);
        ProjectionRunner runner{store};
        runner.add(Balances{poison.probe()});
        for (int i = 0; i < 10; ++i) runner.run_once();
        CHECK(runner.status("balances").state == ProjectionState::halted);
    }
    // Another program sees the same status.
    CHECK(ProjectionRunner{store}.status("balances").state == ProjectionState::halted);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::active);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a parked event takes the later ones of its stream with it and no others") {
    auto store = test::new_store();
    fill(store);
    const Poison poison;
    poison.positions->insert(2);
    ProjectionRunner runner{store, {.batch_events_max = 2}};
    runner.add(BalancesThat<OnFailure::park>{poison.probe()});
    for (int i = 0; i < 20; ++i) runner.run_once();
    CHECK(cents(runner, 1) == 0);
    CHECK(cents(runner, 2) == 7);
    ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::active);
    CHECK(status.accounting.applied == 3);
    CHECK(status.accounting.parked == 3);
    CHECK(status.accounting.position == Position{6});
    const auto parked = runner.parked("balances");
    REQUIRE(parked.size() == 3);
    CHECK(parked[0].position == Position{2});
    CHECK(parked[0].key == account(1));
    CHECK(parked[0].type == "account.deposited");
    CHECK(parked[0].error == "poison");
    CHECK(parked[0].attempts == 2);
    CHECK(parked[1].attempts == 0);

    // The handler still fails: nothing is applied, and the attempt is counted.
    CHECK(runner.replay_parked("balances") == 0);
    CHECK(runner.parked("balances")[0].attempts == 3);
    poison.positions->clear();
    CHECK(runner.replay_parked("balances", account(1)) == 3);
    CHECK(runner.parked("balances").empty());
    CHECK(cents(runner, 1) == 111);
    status = runner.status("balances");
    CHECK(status.accounting.applied == 6);
    CHECK(status.accounting.parked == 0);
    store.append(account(1), stream_exists, {Deposited{1'000}});
    runner.run_once();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a replay stops at the next event that fails and keeps the order") {
    auto store = test::new_store();
    fill(store);
    const Poison poison;
    *poison.positions = {Position{2}, Position{5}};
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{poison.probe()});
    for (int i = 0; i < 20; ++i) runner.run_once();
    poison.positions->erase(2);
    CHECK(runner.replay_parked("balances") == 2);
    REQUIRE(runner.parked("balances").size() == 1);
    CHECK(runner.parked("balances")[0].error == "poison");
    CHECK(cents(runner, 1) == 11);
}

TEST_CASE("a discarded event counts as skipped with its reason") {
    auto store = test::new_store();
    fill(store);
    const Poison poison;
    poison.positions->insert(3);
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{poison.probe()});
    for (int i = 0; i < 20; ++i) runner.run_once();
    CHECK(runner.discard_parked("balances", {.position = Position{3}, .reason = "a typo"}) == 1);
    CHECK(runner.replay_parked("balances") == 1);
    CHECK(cents(runner, 1) == 101);
    const Accounting accounting = runner.status("balances").accounting;
    CHECK(accounting.skipped == 1);
    CHECK(accounting.parked == 0);
    CHECK(accounting.sum() == 6);
    runner.query("balances", [](Sql& sql) {
        CHECK(sql.text("SELECT reason FROM daybook_set_aside WHERE position = 3") == "a typo");
    });
    CHECK(runner.discard_parked("balances", {.key = account(1), .reason = "none left"}) == 0);
}

TEST_CASE("a skipped event is left out and its error is kept") {
    auto store = test::new_store();
    fill(store);
    const Poison poison;
    *poison.positions = {Position{2}, Position{6}};
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::skip>{poison.probe()});
    for (int i = 0; i < 20; ++i) runner.run_once();
    CHECK(cents(runner, 1) == 110);
    CHECK(cents(runner, 2) == 0);
    const Accounting accounting = runner.status("balances").accounting;
    CHECK(accounting.skipped == 2);
    CHECK(accounting.applied == 4);
    runner.query("balances", [](Sql& sql) {
        CHECK(sql.integer("SELECT count(*) FROM daybook_set_aside WHERE error = 'poison'") == 2);
    });
}

TEST_CASE("a payload that does not fit is an error of the event") {
    auto store = test::new_store();
    fill(store);
    store.append(account(2), stream_exists,
                 {NewEvent{EventType{"account.deposited", 1}, R"({"cents":"many"})"}});
    store.append(account(2), stream_exists,
                 {NewEvent{EventType{"account.deposited", 9}, R"({"cents":1})"}});
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::skip>{});
    for (int i = 0; i < 20; ++i) runner.run_once();
    CHECK(runner.status("balances").accounting.skipped == 2);
    CHECK(cents(runner, 2) == 7);
}

TEST_CASE("an error of the disk or a lock never parks or skips an event") {
    auto store = test::new_store();
    fill(store);
    bool locked = true;
    ProjectionRunner runner{store, {.poll = 1ms}};
    runner.add(BalancesThat<OnFailure::skip>{[&](Position) {
        if (locked) throw UnavailableError("the database is locked");
    }});
    for (int i = 0; i < 20; ++i) runner.run_once();
    ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::retrying);
    CHECK(status.last_error == "the database is locked");
    CHECK(status.accounting.position == Position{0});
    locked = false;
    runner.run_once();
    status = runner.status("balances");
    CHECK(status.state == ProjectionState::active);
    CHECK(status.accounting.skipped == 0);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a wrong schema halts its own projection and says what is wrong") {
    auto store = test::new_store();
    fill(store);
    ProjectionRunner runner{store};
    runner.add(Broken{});
    runner.add(Balances{});
    runner.start();
    CHECK(runner.wait_for("balances", store.head(), test::patience()));
    while (runner.status("broken").state != ProjectionState::halted) {}
    CHECK(runner.status("broken").last_error.find("TABEL") != std::string::npos);
    CHECK_FALSE(runner.wait_for(store.head(), daybook::test::patience()));
}

TEST_CASE("a row that cannot be written is blamed on the event that made it") {
    auto store = test::new_store();
    for (int i = 1; i <= 9; ++i) {
        // The sixth row violates a constraint, because it has the value of the first row.
        store.append(account(i), no_stream, {Opened{"x"}, Deposited{i == 6 ? -1 : -i}});
    }
    ProjectionRunner runner{store};
    runner.add(Shares{});
    for (int i = 0; i < 30; ++i) runner.run_once();
    const Accounting accounting = runner.status("shares").accounting;
    CHECK(accounting.position == Position{18});
    CHECK(accounting.skipped == 1);
    runner.query("shares", [](Sql& sql) {
        CHECK(sql.integer("SELECT position FROM daybook_set_aside") == 12);
        CHECK(sql.integer("SELECT count(*) FROM shares") == 9);
        CHECK(sql.integer("SELECT count(*) FROM shares WHERE share < 0") == 8);
    });
}
