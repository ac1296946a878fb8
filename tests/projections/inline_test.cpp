#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> inline_rows(const EventStore& store) {
    std::vector<std::string> found;
    store.query([&](Sql& sql) { found = rows(sql, "balances"); });
    return found;
}

}  // namespace

TEST_CASE("an inline model is there when the append returns") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{}, Lifecycle::inline_);
    runner.run_once();
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{5}});
    CHECK(inline_rows(store) == expected_rows(store));
    store.transact([&](Transaction& tx) {
        tx.append(account(2), no_stream, {Opened{"Bob"}});
        tx.append(account(1), stream_exists, {Deposited{5}});
    });
    CHECK(inline_rows(store) == expected_rows(store));
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.wait_for(store.head(), 0ms));
    const ProjectionStatus status = runner.status("balances");
    CHECK(status.lifecycle == Lifecycle::inline_);
    CHECK(status.state == ProjectionState::active);
    CHECK(status.lag == 0);
    CHECK(status.accounting.applied == 4);
}

TEST_CASE("a handler that throws fails its own append and leaves no trace of it") {
    auto store = test::new_store();
    Position poison{3};
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position position) {
                   if (position == poison) throw std::runtime_error("no");
               }},
               Lifecycle::inline_);
    runner.run_once();
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{5}});
    const NewEvent refused = Deposited{7};
    CHECK_THROWS_WITH_AS(store.append(account(1), stream_exists, {refused}),
                         doctest::Contains("event 3"), InvalidError);
    CHECK_THROWS_AS(store.transact([&](Transaction& tx) {
        tx.append(account(2), no_stream, {Opened{"Bob"}});
        tx.sql().exec("INSERT INTO balances VALUES('by hand', '', 0)");
    }),
                    InvalidError);
    CHECK(store.head() == Position{2});
    CHECK(inline_rows(store) == expected_rows(store));
    CHECK(runner.status("balances").state == ProjectionState::active);
    poison = 0;
    store.append(account(1), stream_exists, {refused});
    CHECK(inline_rows(store) == expected_rows(store));
    CHECK(runner.status("balances").accounting.sum() == 3);
}

TEST_CASE("what a program without the projection appended comes in with the next append") {
    const test::StoreLocation location;
    auto store = location.open();
    auto stranger = location.open();
    ProjectionRunner runner{store, {.batch_events_max = 3}};
    runner.add(Balances{}, Lifecycle::inline_);
    runner.run_once();
    History history{11};
    history.append_to(stranger, 30);
    CHECK(inline_rows(store).empty());
    store.append(account(99), no_stream, {Opened{"Zoe"}});
    CHECK(inline_rows(store) == expected_rows(store));
    history.append_to(stranger, 30);
    CHECK_FALSE(runner.wait_for(store.head(), 10ms));
    runner.start();
    CHECK(runner.wait_for(store.head(), test::patience()));
    CHECK(inline_rows(store) == expected_rows(store));
}

TEST_CASE("an inline projection added to an old log catches up before it is fed") {
    auto store = test::new_store();
    History{2}.append_to(store, 200);
    for (const std::uint64_t bulk : {100'000, 10}) {
        ProjectionRunner runner{store, {.batch_events_max = 50, .bulk_lag_min = bulk}};
        runner.add(Balances{}, Lifecycle::inline_);
        runner.add(KeyedBalances{});
        runner.start();
        CHECK(inline_rows(store) == expected_rows(store));
        CHECK(runner.wait_for(store.head(), test::patience()));
        CHECK(rows(store, "keyed-balances", "keyed-balances") == expected_rows(store));
    }
}

TEST_CASE("a poison event of another program halts the inline model and not the appends") {
    const test::StoreLocation location;
    auto store = location.open();
    auto stranger = location.open();
    Position poison{2};
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position position) {
                   if (position == poison) throw std::runtime_error("no");
               }},
               Lifecycle::inline_);
    runner.run_once();
    stranger.append(account(1), no_stream, {Opened{"Ada"}, Deposited{5}});
    store.append(account(1), stream_exists, {Deposited{6}});
    CHECK(store.head() == Position{3});
    ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::halted);
    CHECK(status.last_error.find("event 2") != std::string::npos);
    CHECK(status.lag == 2);
    store.append(account(1), stream_exists, {Deposited{7}});
    poison = 0;
    runner.resume("balances");
    store.append(account(1), stream_exists, {Deposited{8}});
    CHECK(inline_rows(store) == expected_rows(store));
    status = runner.status("balances");
    CHECK(status.state == ProjectionState::active);
    CHECK(status.lag == 0);
}

TEST_CASE("an inline projection that parks lets the append pass") {
    auto store = test::new_store();
    bool broken = true;
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{[&](Position position) {
                   if (broken && position == Position{2}) throw std::runtime_error("no");
               }},
               Lifecycle::inline_);
    runner.run_once();
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{5}, Deposited{6}});
    store.append(account(2), no_stream, {Opened{"Bob"}});
    CHECK(runner.parked("balances").size() == 2);
    CHECK(runner.status("balances").accounting.parked == 2);
    CHECK(runner.replay_parked("balances") == 0);
    broken = false;
    CHECK(runner.replay_parked("balances") == 2);
    CHECK(inline_rows(store) == expected_rows(store));
    CHECK(runner.status("balances").accounting.sum() == 4);
}

TEST_CASE("a table of the program with the name of a model's is not taken over") {
    auto store = test::new_store();
    store.transact([](Transaction& tx) { tx.sql().script("CREATE TABLE balances(mine TEXT)"); });
    ProjectionRunner runner{store};
    runner.add(Balances{}, Lifecycle::inline_);
    runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::halted);
    CHECK(runner.status("balances").last_error.find("already exists") != std::string::npos);
    store.append(account(1), no_stream, {Opened{"Ada"}});
    CHECK(store.head() == Position{1});
}

TEST_CASE("an inline model is no longer fed when its runner is gone and caught up by the next") {
    auto store = test::new_store();
    {
        ProjectionRunner runner{store};
        runner.add(Balances{}, Lifecycle::inline_);
        runner.run_once();
    }
    store.append(account(1), no_stream, {Opened{"Ada"}});
    CHECK(inline_rows(store).empty());
    ProjectionRunner runner{store};
    runner.add(Balances{}, Lifecycle::inline_);
    runner.run_once();
    CHECK(inline_rows(store) == expected_rows(store));
}
