#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: rebuilds while appends go on give the rows of the log") {
    const test::StoreLocation location;
    auto store = location.open({.durability = Durability::off});
    History history{51};
    history.append_to(store, 500);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.add(KeyedBalances{});
    runner.start();
    std::jthread appender{[&](const std::stop_token& stop) {
        // At full speed the log would grow faster than it can be rebuilt.
        while (!stop.stop_requested()) {
            history.append_to(store, 10);
            std::this_thread::sleep_for(10ms);
        }
    }};
    const int rounds = test::on_postgres() ? 2 : 5;
    for (int round = 0; round < rounds; ++round) {
        runner.rebuild("balances", {.commit_events = 100});
        runner.rebuild("keyed-balances", {.commit_interval = 1ms});
    }
    appender.request_stop();
    appender.join();
    REQUIRE(runner.wait_for(store.head(), test::patience()));
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(rows(store, "keyed-balances", "keyed-balances") == expected_rows(store));
    CHECK(runner.status("balances").build == 1 + rounds);
}

TEST_CASE("concurrent: an inline model is rebuilt under appends without missing one") {
    const test::StoreLocation location;
    auto store = location.open({.durability = Durability::off});
    ProjectionRunner runner{store};
    runner.add(Balances{}, Lifecycle::inline_);
    runner.start();
    std::vector<std::jthread> appenders;
    for (int index = 0; index < 3; ++index) {
        appenders.emplace_back([&, index](const std::stop_token& stop) {
            const std::string stream = account(index);
            store.append(stream, no_stream, {Opened{"x"}});
            while (!stop.stop_requested()) store.append(stream, any_version, {Deposited{1}});
        });
    }
    for (int round = 0; round < 10; ++round) runner.rebuild("balances");
    appenders.clear();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").lag == 0);
}

TEST_CASE("concurrent: two runners on one store feed each model once") {
    const test::StoreLocation location;
    auto first = location.open({.durability = Durability::off});
    auto second = location.open({.durability = Durability::off});
    ProjectionRunner left{first, {.batch_events_max = 5}};
    ProjectionRunner right{second, {.batch_events_max = 3}};
    for (ProjectionRunner* runner : {&left, &right}) {
        runner->add(Balances{});
        runner->add(KeyedBalances{});
        runner->start();
    }
    History history{52};
    history.append_to(first, 400);
    left.rebuild("balances");
    history.append_to(second, 400);
    REQUIRE(left.wait_for(first.head(), test::patience()));
    REQUIRE(right.wait_for(first.head(), test::patience()));
    CHECK(rows(first, "balances", "balances") == expected_rows(first));
    CHECK(rows(second, "keyed-balances", "keyed-balances") == expected_rows(first));
    CHECK(left.status("balances").accounting.sum() == first.head().value());
}

TEST_CASE("concurrent: a build that was replaced does not come back") {
    const test::StoreLocation location;
    auto store = location.open({.durability = Durability::off});
    History history{54};
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    ProjectionRunner other{store, {.batch_events_max = 3}};
    other.add(Balances{});
    other.start();
    int came_back = 0;
    std::jthread watcher{[&](const std::stop_token& stop) {
        std::set<std::string> seen;
        std::set<std::string> gone;
        while (!stop.stop_requested()) {
            const auto found = detail::engine_of(store).read_models().list();
            const std::set<std::string> now{found.begin(), found.end()};
            for (const std::string& build : seen) {
                if (!now.contains(build)) gone.insert(build);
            }
            for (const std::string& build : now) came_back += gone.contains(build) ? 1 : 0;
            seen.insert(now.begin(), now.end());
            std::this_thread::sleep_for(3ms);
        }
    }};
    for (int round = 0; round < 20; ++round) {
        history.append_to(store, 20);
        runner.rebuild("balances");
    }
    CHECK(other.wait_for(store.head(), test::patience()));
    watcher.request_stop();
    watcher.join();
    CHECK(came_back == 0);
    CHECK(other.status("balances").build == 21);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("concurrent: readers are never without a model while builds come and go") {
    const test::StoreLocation location;
    auto store = location.open({.durability = Durability::off});
    store.append(account(1), no_stream, {Opened{"Ada"}, Deposited{1}});
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    const ReadModels models{store};
    std::atomic<int> looks = 0;
    std::mutex mutex;
    std::string wrong;  // under mutex
    std::vector<std::jthread> readers;
    for (int index = 0; index < 3; ++index) {
        readers.emplace_back([&](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                try {
                    models.query("balances", [&](Sql& sql) {
                        if (sql.integer("SELECT cents FROM balances") == 1) return;
                        throw InvalidError("an empty model");
                    });
                } catch (const Error& error) {
                    const std::scoped_lock lock{mutex};
                    wrong = error.what();
                }
                ++looks;
            }
        });
    }
    for (int round = 0; round < 20; ++round) runner.rebuild("balances");
    readers.clear();
    CHECK(looks > 20);
    CHECK(wrong == "");
}

TEST_CASE("concurrent: a slow or failing projection holds up no other") {
    auto store = test::new_store();
    std::atomic<bool> release = false;
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position) {
        while (!release) std::this_thread::sleep_for(1ms);
    }});
    runner.add(KeyedBalances{});
    runner.start();
    History{53}.append_to(store, 100);
    CHECK(runner.wait_for("keyed-balances", store.head(), test::patience()));
    CHECK_FALSE(runner.wait_for("balances", store.head(), 5ms));
    release = true;
    CHECK(runner.wait_for(store.head(), test::patience()));
}

TEST_CASE("concurrent: replay of parked events and new events of their stream keep their order") {
    auto store = test::new_store();
    std::atomic<bool> broken = true;
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{[&](Position position) {
        if (broken && position == Position{1}) throw std::runtime_error("no");
    }});
    runner.start();
    store.append(account(1), no_stream, {Opened{"Ada"}});
    REQUIRE(runner.wait_for(Position{1}, test::patience()));
    std::jthread appender{[&] {
        for (int i = 0; i < 300; ++i) store.append(account(1), any_version, {Deposited{1}});
    }};
    std::this_thread::sleep_for(5ms);
    broken = false;
    CHECK(eventually([&] {
        runner.replay_parked("balances", account(1));
        return runner.status("balances").accounting.parked == 0 && store.head() == Position{301};
    }));
    appender.join();
    REQUIRE(runner.wait_for(store.head(), test::patience()));
    runner.replay_parked("balances");
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_SUITE_END();
