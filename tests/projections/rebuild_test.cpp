#include <filesystem>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "patience.hpp"
#include "registry.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> databases(const EventStore& store) {
    return detail::engine_of(store).read_models().list();
}

}  // namespace

TEST_CASE("a rebuilt model equals the live one row for row") {
    auto store = test::new_store();
    History history{21};
    ProjectionRunner runner{store, {.batch_events_max = 9}};
    runner.add(Balances{});
    runner.add(KeyedBalances{});
    for (int round = 0; round < 3; ++round) {
        history.append_to(store, 300);
        runner.run_once();
        const auto live = rows(store, "balances", "balances");
        const auto keyed = rows(store, "keyed-balances", "keyed-balances");
        const RebuildResult result = runner.rebuild("balances", {.commit_events = 50});
        CHECK(result.version == 1);
        CHECK(result.build == round + 2);
        CHECK(result.position == store.head());
        CHECK(result.scanned == store.head().value());
        CHECK_FALSE(result.resumed);
        // A cache of three rows, so that rows are written and read again all the time.
        runner.rebuild("keyed-balances", {.rows_max = 3});
        CHECK(rows(store, "balances", "balances") == live);
        CHECK(rows(store, "keyed-balances", "keyed-balances") == keyed);
        CHECK(live == expected_rows(store));
        const ProjectionStatus status = runner.status("balances");
        CHECK(status.build == round + 2);
        CHECK(status.accounting.sum() == store.head().value());
        CHECK_FALSE(status.rebuild.has_value());
    }
    // The indexes are there, and nothing is left of older builds.
    runner.query("balances", [](Sql& sql) { CHECK(test::has_relation(sql, "balances_by_cents")); });
    CHECK(databases(store).size() == 2);
}

TEST_CASE(
    "a rebuilt model in service is reported as done whatever fails after the switch-over [A3]") {
    const test::StoreLocation location;
    auto store = location.open({.busy_wait_max = 200ms});
    History{24}.append_to(store, 20);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    // The old model is in use, and where it is a file, something else has its name.
    const auto old =
        detail::engine_of(store).read_models().open("balances.v1.b1", ReadModelUse::query);
    old->begin();
    const auto disturb = [&](const RebuildProgress& progress) {
        const std::filesystem::path file{location.uri() + "-rm/balances.v1.b1.db"};
        if (progress.phase == RebuildPhase::switching_over && std::filesystem::remove(file)) {
            std::filesystem::create_directories(file / "in the way");
        }
        if (progress.phase == RebuildPhase::done) throw std::runtime_error("no terminal");
    };
    const RebuildResult result = runner.rebuild("balances", {.progress = disturb});
    CHECK(result.build == 2);
    CHECK(result.position == store.head());
    CHECK(runner.status("balances").build == 2);
    old->rollback();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.rebuild("balances").build == 3);
}

TEST_CASE("an inline model is rebuilt in place and goes on being fed") {
    auto store = test::new_store();
    History history{22};
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{[](Position position) {
                   if (position == Position{5}) throw std::runtime_error("no");
               }},
               Lifecycle::inline_);
    runner.run_once();
    history.append_to(store, 200);
    const auto live = rows(store, "balances", "balances");
    const Accounting before = runner.status("balances").accounting;
    CHECK(before.parked > 0);
    runner.rebuild("balances");
    CHECK(rows(store, "balances", "balances") == live);
    const Accounting after = runner.status("balances").accounting;
    CHECK(after.applied == before.applied);
    CHECK(after.parked == before.parked);
    CHECK(runner.parked("balances").size() == before.parked);
    history.append_to(store, 50);
    CHECK(runner.status("balances").lag == 0);
    CHECK(databases(store).empty());
}

TEST_CASE("readers see the old model until the new one is complete and never less than before") {
    auto store = test::new_store();
    History{23}.append_to(store, 300);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    const ReadModels models{store};
    const auto old = rows(store, "balances", "balances");
    std::vector<RebuildPhase> phases;
    runner.rebuild("balances", {.progress = [&](const RebuildProgress& progress) {
                       CHECK(progress.name == "balances");
                       if (phases.empty() || phases.back() != progress.phase)
                           phases.push_back(progress.phase);
                       if (progress.phase == RebuildPhase::finishing) {
                           store.append(account(0), any_version, {Deposited{1}});
                       }
                       models.query("balances", [&](Sql& sql) {
                           if (progress.phase != RebuildPhase::done)
                               CHECK(rows(sql, "balances") == old);
                       });
                   }});
    CHECK(phases == std::vector{RebuildPhase::claimed, RebuildPhase::applying,
                                RebuildPhase::indexing, RebuildPhase::finishing,
                                RebuildPhase::catching_up, RebuildPhase::switching_over,
                                RebuildPhase::done});
    CHECK(models.accounting("balances").position == store.head());
}

TEST_CASE("a raised version rebuilds when the runner comes to it") {
    auto store = test::new_store();
    History{24}.append_to(store, 100);
    {
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
    }
    {
        ProjectionRunner runner{store, {.rebuild_outdated = false}};
        runner.add(BalancesV2{});
        runner.run_once();
        CHECK(runner.status("balances").state == ProjectionState::outdated);
        CHECK(runner.status("balances").version == 1);
        CHECK_THROWS_AS(runner.replay_parked("balances"), InvalidError);
    }
    ProjectionRunner newer{store};
    newer.add(BalancesV2{});
    newer.start();
    CHECK(newer.wait_for(store.head(), test::patience()));
    while (newer.status("balances").version != 2) {}
    newer.query("balances", [](Sql& sql) {
        CHECK(sql.integer("SELECT max(deposits) FROM balances").value_or(0) > 0);
    });
    // The old program, which still runs elsewhere, does not change the new model.
    ProjectionRunner older{store};
    older.add(Balances{});
    store.append(account(77), no_stream, {Opened{"Ada"}});
    CHECK(older.run_once() == 0);
    CHECK(older.status("balances").state == ProjectionState::superseded);
    CHECK(newer.wait_for(store.head(), test::patience()));
}

TEST_CASE("a model follows its definition from one lifecycle to the other") {
    auto store = test::new_store();
    History history{25};
    for (const Lifecycle lifecycle :
         {Lifecycle::async, Lifecycle::inline_, Lifecycle::inline_, Lifecycle::async}) {
        history.append_to(store, 60);
        ProjectionRunner runner{store};
        runner.add(Balances{}, lifecycle);
        runner.run_once();
        const ProjectionStatus status = runner.status("balances");
        CHECK(status.lifecycle == lifecycle);
        CHECK(status.lag == 0);
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        const bool is_inline = lifecycle == Lifecycle::inline_;
        store.query([&](Sql& sql) { CHECK(test::has_relation(sql, "balances") == is_inline); });
        CHECK(databases(store).size() == (is_inline ? 0 : 1));
    }
}

TEST_CASE("a second rebuild of one projection names the owner of the first") {
    const test::StoreLocation location;
    auto store = location.open();
    auto other = location.open();
    History{26}.append_to(store, 50);
    ProjectionRunner first{store};
    first.add(Balances{});
    ProjectionRunner second{other};
    second.add(Balances{});
    bool tried = false;
    first.rebuild("balances", {.progress = [&](const RebuildProgress& progress) {
                      if (progress.phase != RebuildPhase::indexing) return;
                      tried = true;
                      const auto status = second.status("balances");
                      REQUIRE(status.rebuild.has_value());
                      CHECK_THROWS_WITH_AS(second.rebuild("balances"),
                                           doctest::Contains(status.rebuild->owner.c_str()),
                                           UnavailableError);
                  }});
    CHECK(tried);
    second.rebuild("balances");
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a rebuild that could not give its claim back is not waited for in its own process") {
    auto store = test::new_store();
    History{29}.append_to(store, 50);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    std::string owner;
    const auto fail = [&](const RebuildProgress& progress) {
        if (progress.phase != RebuildPhase::indexing) return;
        owner = runner.status("balances").rebuild.value().owner;
        throw std::runtime_error("it has failed");
    };
    CHECK_THROWS_WITH(runner.rebuild("balances", {.progress = fail}), "it has failed");
    // The state after a lost connection.
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec("UPDATE daybook_rebuild SET owner = ?, updated_at = ?", owner,
                                   detail::engine_of(store).clock().now());
    });
    CHECK(runner.rebuild("balances").resumed);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a silent owner is replaced and what it does afterwards is refused") {
    const test::StoreLocation location;
    auto store = location.open();
    auto other = location.open();
    History{27}.append_to(store, 50);
    for (const RebuildPhase late :
         {RebuildPhase::claimed, RebuildPhase::applying, RebuildPhase::indexing,
          RebuildPhase::finishing, RebuildPhase::catching_up}) {
        ProjectionRunner first{store};
        first.add(Balances{});
        ProjectionRunner second{other};
        second.add(Balances{});
        bool replaced = false;
        const auto take_over = [&](const RebuildProgress& progress) {
            if (progress.phase != late || replaced) return;
            replaced = true;
            CHECK(second.rebuild("balances", {.owner_silent_max = 0ms}).resumed);
        };
        CHECK_THROWS_WITH_AS(first.rebuild("balances", {.progress = take_over}),
                             doctest::Contains("taken over"), UnavailableError);
        CHECK(replaced);
        second.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        CHECK_FALSE(second.status("balances").rebuild.has_value());
        detail::remove_orphans(store);
        CHECK(databases(store).size() == 1);
    }
}

TEST_CASE("a rebuild that an event stops says which and goes on from there when mended") {
    auto store = test::new_store();
    History{28}.append_to(store, 100);
    bool broken = true;
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position position) {
        if (broken && position == Position{60}) throw std::runtime_error("poison");
    }});
    for (int i = 0; i < 10; ++i) runner.run_once();
    CHECK(runner.status("balances").state == ProjectionState::halted);
    CHECK_THROWS_WITH_AS(runner.rebuild("balances"), doctest::Contains("event 60"), InvalidError);
    const auto left = runner.status("balances").rebuild;
    REQUIRE(left.has_value());
    CHECK(left->owner.empty());
    CHECK(left->error.find("poison") != std::string::npos);
    broken = false;
    const RebuildResult result = runner.rebuild("balances");
    CHECK(result.resumed);
    CHECK(result.scanned == store.head().value() - 59);
    CHECK(runner.status("balances").state == ProjectionState::active);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("an unfinished build of another definition is dropped") {
    auto store = test::new_store();
    History{29}.append_to(store, 100);
    const auto leave = [](const RebuildProgress& progress) {
        if (progress.phase == RebuildPhase::indexing) throw std::runtime_error("left");
    };
    {
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        CHECK_THROWS_WITH(runner.rebuild("balances", {.progress = leave}), "left");
        CHECK(databases(store).size() == 2);
    }
    ProjectionRunner runner{store, {.rebuild_outdated = false}};
    runner.add(BalancesV2{});
    const RebuildResult result = runner.rebuild("balances");
    CHECK_FALSE(result.resumed);
    CHECK(result.build == 3);
    CHECK(databases(store) == std::vector<std::string>{"balances.v2.b3"});
}

TEST_CASE("a rebuild that is stopped leaves the old model and can be continued") {
    auto store = test::new_store();
    History{30}.append_to(store, 100);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    std::stop_source stop;
    const auto stopping = [&](const RebuildProgress&) { stop.request_stop(); };
    CHECK_THROWS_AS(runner.rebuild("balances", {.progress = stopping, .stop = stop.get_token()}),
                    CancelledError);
    CHECK(runner.status("balances").build == 1);
    CHECK(runner.rebuild("balances").resumed);
    CHECK(runner.status("balances").build == 2);
}

TEST_CASE("only the models of this store's projections are cleared away") {
    auto store = test::new_store();
    store.append(account(1), no_stream, {Opened{"Ada"}});
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    auto& models = detail::engine_of(store).read_models();
    for (const char* name : {"balances.v1.b7", "balances.v3.b2", "balances.old", "other.v1.b1",
                             "balances.vx.b1", "balances.v1.b"}) {
        models.open(name, ReadModelUse::build);
    }
    detail::remove_orphans(store);
    auto left = databases(store);
    std::sort(left.begin(), left.end());
    CHECK(left == std::vector<std::string>{"balances.old", "balances.v1.b", "balances.v1.b1",
                                           "balances.vx.b1", "other.v1.b1"});
}

TEST_CASE("a projection can be rebuilt before it has ever run") {
    auto store = test::new_store();
    History{31}.append_to(store, 40);
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        auto fresh = test::new_store();
        History{31}.append_to(fresh, 40);
        ProjectionRunner runner{fresh};
        runner.add(Balances{}, lifecycle);
        runner.rebuild("balances");
        CHECK(rows(fresh, "balances", "balances") == expected_rows(fresh));
        runner.run_once();
        CHECK(runner.status("balances").build == 2);
    }
}
