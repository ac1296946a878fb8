#include <filesystem>
#include <stop_token>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/lease.hpp"
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

/// What another owner would do to the lease, or time.
template <class... Values>
void set_lease(EventStore& store, const std::string& change, const Values&... values) {
    store.transact([&](Transaction& tx) {
        detail::store_sql(tx).exec(
            "UPDATE daybook_lease SET " + change + " WHERE name = 'rebuild:balances'", values...);
    });
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
    first.rebuild("balances", {.progress =
                                   [&](const RebuildProgress& progress) {
                                       if (progress.phase != RebuildPhase::indexing) return;
                                       tried = true;
                                       const auto status = second.status("balances");
                                       REQUIRE(status.rebuild.has_value());
                                       CHECK_THROWS_WITH_AS(
                                           second.rebuild("balances", {.lease = 20ms}),
                                           doctest::Contains(status.rebuild->owner.c_str()),
                                           UnavailableError);
                                   },
                               .lease = 1h});
    CHECK(tried);
    second.rebuild("balances");
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("an owner that is busy for longer than its lease lasts keeps it") {
    constexpr std::chrono::milliseconds lease{1'500};
    const test::StoreLocation location;
    auto store = location.open();
    History{26}.append_to(store, 50);
    ProjectionRunner first{store};
    first.add(Balances{});
    ProjectionRunner second{location.open()};
    second.add(Balances{});
    const auto be_busy = [&](const RebuildProgress& progress) {
        if (progress.phase != RebuildPhase::indexing) return;
        const auto end = std::chrono::steady_clock::now() + lease + lease / 3;
        while (std::chrono::steady_clock::now() < end) {
            CHECK_THROWS_WITH_AS(second.rebuild("balances"), doctest::Contains("is being rebuilt"),
                                 UnavailableError);
        }
    };
    first.rebuild("balances", {.progress = be_busy, .lease = lease});
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a rebuild that could not give its lease back is waited for until that runs out") {
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
    const Leases leases{store};
    const Timestamp until = leases.now() + 150ms;
    set_lease(store, "owner = ?, until = ?", owner, until);
    CHECK(runner.rebuild("balances").resumed);
    CHECK(leases.now() >= until);
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a rebuild that waits for another goes on when that gives its lease back") {
    auto store = test::new_store();
    History{29}.append_to(store, 50);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    Leases leases{store};
    const auto other = leases.try_acquire("rebuild:balances", "other", 1h);
    std::jthread giver{[&] {
        std::this_thread::sleep_for(30ms);
        leases.release(*other);
    }};
    runner.rebuild("balances", {.lease = test::patience()});
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a rebuild that waits for another can be told to stop") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{});
    Leases{store}.try_acquire("rebuild:balances", "other", 1h);
    std::stop_source stop;
    stop.request_stop();
    CHECK_THROWS_AS(runner.rebuild("balances", {.stop = stop.get_token(), .lease = 1h}),
                    CancelledError);
}

TEST_CASE("a rebuild without a lease of some time is refused") {
    auto store = test::new_store();
    ProjectionRunner runner{store};
    runner.add(Balances{});
    CHECK_THROWS_AS(runner.rebuild("balances", {.lease = 0ms}), InvalidError);
    CHECK_THROWS_AS(runner.rebuild("balances", {.lease = forever}), InvalidError);
}

TEST_CASE("a silent owner is replaced and what it does afterwards is refused") {
    const test::StoreLocation location;
    auto store = location.open();
    auto other = location.open();
    History{27}.append_to(store, 50);
    for (const RebuildPhase late :
         {RebuildPhase::claimed, RebuildPhase::applying, RebuildPhase::indexing,
          RebuildPhase::finishing, RebuildPhase::catching_up}) {
        CAPTURE(to_string(late));
        ProjectionRunner first{store};
        first.add(Balances{});
        ProjectionRunner second{other};
        second.add(Balances{});
        bool replaced = false;
        const auto take_over = [&](const RebuildProgress& progress) {
            if (progress.phase != late || replaced) return;
            replaced = true;
            set_lease(store, "until = ?", 0);
            CHECK(second.rebuild("balances").resumed);
        };
        // It does not renew so long a lease while it runs.
        CHECK_THROWS_WITH_AS(first.rebuild("balances", {.progress = take_over, .lease = 1h}),
                             doctest::Contains("taken over"), UnavailableError);
        CHECK(replaced);
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        second.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        CHECK_FALSE(second.status("balances").rebuild.has_value());
        detail::remove_orphans(store);
        CHECK(databases(store).size() == 1);
    }
}

TEST_CASE("an owner that was replaced writes nothing into the registry") {
    auto store = test::new_store();
    History{27}.append_to(store, 50);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    for (const RebuildPhase late : {RebuildPhase::claimed, RebuildPhase::catching_up}) {
        CAPTURE(to_string(late));
        const auto replace = [&](const RebuildProgress& progress) {
            if (progress.phase != late) return;
            set_lease(store, "owner = ?, token = token + 1", "other");
        };
        CHECK_THROWS_WITH_AS(runner.rebuild("balances", {.progress = replace, .lease = 1h}),
                             doctest::Contains("taken over"), UnavailableError);
        const ProjectionStatus status = runner.status("balances");
        CHECK(status.build == 1);
        REQUIRE(status.rebuild.has_value());
        CHECK(status.rebuild->owner == "other");
        CHECK(status.rebuild->position == Position{0});
        CHECK(status.rebuild->error.empty());
        set_lease(store, "until = ?", 0);
    }
    CHECK(runner.rebuild("balances").resumed);
}

TEST_CASE("an owner that was replaced finds out when it renews its lease") {
    auto store = test::new_store();
    History{27}.append_to(store, 500);
    std::uint64_t applied = 0;
    bool replaced = false;
    ProjectionRunner runner{store};
    runner.add(Balances{[&](Position) {
        ++applied;
        std::this_thread::sleep_for(2ms);
    }});
    const auto replace = [&](const RebuildProgress& progress) {
        if (progress.phase != RebuildPhase::applying || std::exchange(replaced, true)) return;
        set_lease(store, "owner = ?, token = token + 1", "other");
    };
    const RebuildOptions options{.progress = replace, .commit_events = 10, .lease = 300ms};
    CHECK_THROWS_WITH_AS(runner.rebuild("balances", options), doctest::Contains("taken over"),
                         UnavailableError);
    CHECK(applied < store.head().value());
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
