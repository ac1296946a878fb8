#include <filesystem>

#include <doctest/doctest.h>

#include "bank.hpp"
#include "captured_log.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "patience.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

/// Changes the checkpoint on another connection, as if the log had been replaced.
void change_checkpoint(const EventStore& store, const std::string& database,
                       const std::string& change) {
    detail::engine_of(store)
        .read_models()
        .open(database, ReadModelUse::feed)
        ->sql()
        .exec("UPDATE daybook_checkpoint SET " + change);
}

std::string other_event() {
    return test::on_postgres() ? "event = '00112233445566778899aabbccddeeff'"
                               : "event = x'00112233445566778899aabbccddeeff'";
}
std::string other_store() {
    return test::on_postgres() ? "store = '00112233445566778899aabbccddeeff'"
                               : "store = x'00112233445566778899aabbccddeeff'";
}

void fill(EventStore& store, int accounts) {
    for (int i = 0; i < accounts; ++i) {
        if (store.version(account(i)) == Version{0}) {
            store.append(account(i), any_version, {Opened{"x"}, Deposited{i + 1}});
        } else {
            store.append(account(i), any_version, {Deposited{1'000}, Deposited{i + 1}});
        }
    }
}

/// Removes the store; its read models stay.
void lose_store(const test::StoreLocation& location) {
    if (!test::on_postgres()) {
        for (const char* part : {"", "-wal", "-shm"})
            std::filesystem::remove(location.uri() + part);
        return;
    }
    const std::string schema = location.uri().substr(location.uri().find("schema=") + 7);
    test::PostgresConnection{test::postgres_uri()}.query("DROP SCHEMA \"" + schema + "\" CASCADE");
}

}  // namespace

TEST_CASE(
    "a model whose checkpoint is on another event than the log's is rebuilt and that is logged "
    "[A1]") {
    const test::StoreLocation location;
    for (const std::string& change :
         {other_event(), other_store(), std::string("position = 9, applied = 9, filtered = 0")}) {
        CapturedLog log;
        auto store = location.open(log.options());
        fill(store, 2);
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        const auto build = runner.status("balances").build;
        const std::string database = "balances.v1.b" + std::to_string(build);
        change_checkpoint(store, database, change);
        // Both another program and this one, which has the model open, notice the other log.
        CHECK_THROWS_AS(ReadModels{store}.accounting("balances"), CorruptError);
        CHECK(ProjectionRunner{store}.status("balances").state == ProjectionState::outdated);
        fill(store, 1);
        runner.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
        CHECK(runner.status("balances").build == build + 1);
        CHECK(runner.status("balances").state == ProjectionState::active);
        CHECK(log.has("rebuild it"));
    }
}

TEST_CASE("a model of another log is refused where nobody may rebuild it [A1]") {
    CapturedLog log;
    auto store = test::new_store(log.options());
    fill(store, 2);
    {
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
    }
    change_checkpoint(store, "balances.v1.b1", other_event());
    ProjectionRunner runner{store, {.rebuild_outdated = false}};
    runner.add(Balances{});
    fill(store, 1);
    runner.run_once();
    const ProjectionStatus status = runner.status("balances");
    CHECK(status.state == ProjectionState::halted);
    CHECK(status.last_error.find("rebuild it") != std::string::npos);
    CHECK(log.has("put back from a backup"));
    CHECK_FALSE(runner.wait_for(store.head(), 5s));
    runner.rebuild("balances");
    runner.run_once();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE(
    "a new store beside the read models of an earlier one of its name does not continue them "
    "[A1]") {
    const test::StoreLocation location;
    {
        auto store = location.open();
        fill(store, 5);
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        // An unfinished build with the number that the new store assigns next.
        const auto leave = [](const RebuildProgress& progress) {
            if (progress.phase == RebuildPhase::indexing) throw std::runtime_error("left");
        };
        CHECK_THROWS(runner.rebuild("balances", {.progress = leave}));
    }
    lose_store(location);
    CapturedLog log;
    auto store = location.open(log.options());
    fill(store, 2);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    runner.run_once();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").accounting.sum() == 4);
    CHECK(log.has("the log of another store"));
}

TEST_CASE("a reader of a model that was made of another log gets an error [A1]") {
    const test::StoreLocation location;
    auto store = location.open();
    fill(store, 2);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    runner.run_once();
    change_checkpoint(store, "balances.v1.b1", other_store());
    const ReadModels models{store};
    CHECK_THROWS_WITH_AS(models.query("balances", [](Sql&) {}), doctest::Contains("another store"),
                         CorruptError);
}

TEST_CASE("parked events of another log are not replayed into a model [A1]") {
    auto store = test::new_store();
    fill(store, 2);
    bool broken = true;
    ProjectionRunner runner{store};
    runner.add(BalancesThat<OnFailure::park>{[&](Position position) {
        if (broken && position == Position{2}) throw std::runtime_error("no");
    }});
    for (int i = 0; i < 5; ++i) runner.run_once();
    REQUIRE(runner.parked("balances").size() == 1);
    broken = false;
    change_checkpoint(store, "balances.v1.b1", other_event());
    CHECK_THROWS_AS(runner.replay_parked("balances"), CorruptError);
}

TEST_SUITE("sqlite") {
    TEST_CASE(
        "a store put back from a backup does not go on with the model of its later self "
        "[A1]") {
        const test::StoreLocation location;
        const std::string backup = location.uri() + ".backup";
        const auto run = [&](int accounts, bool with_model) {
            auto store = location.open();
            fill(store, accounts);
            ProjectionRunner runner{store};
            runner.add(Balances{});
            if (!with_model) return std::pair{std::vector<std::string>{}, expected_rows(store)};
            runner.run_once();
            runner.run_once();
            return std::pair{rows(store, "balances", "balances"), expected_rows(store)};
        };
        run(2, true);
        for (const char* part : {"", "-wal"}) {
            if (std::filesystem::exists(location.uri() + part)) {
                std::filesystem::copy_file(location.uri() + part, backup + part);
            }
        }
        run(3, true);
        lose_store(location);
        for (const char* part : {"", "-wal"}) {
            if (std::filesystem::exists(backup + part)) {
                std::filesystem::rename(backup + part, location.uri() + part);
            }
        }
        // More events than were lost, so that the position alone does not show the difference.
        run(4, false);
        const auto [model, log] = run(1, true);
        CHECK(model == log);
    }

    TEST_CASE("a model file that is replaced under a running program is noticed [A1]") {
        const test::StoreLocation location;
        auto store = location.open();
        fill(store, 2);
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        const ReadModels models{store};
        CHECK(models.accounting("balances").position == store.head());
        const std::string file = location.uri() + "-rm/balances.v1.b1.db";
        for (const bool empty : {true, false}) {
            const std::string copy = file + ".copy";
            for (const char* part : {"", "-wal"}) {
                std::filesystem::copy_file(file + part, copy + part);
            }
            fill(store, 1);
            runner.run_once();
            for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(file + part);
            for (const char* part : {"", "-wal"}) {
                if (empty) {
                    std::filesystem::remove(copy + part);
                } else {
                    std::filesystem::rename(copy + part, file + part);
                }
            }
            fill(store, 1);
            for (int i = 0; i < 3; ++i) runner.run_once();
            CHECK(rows(store, "balances", "balances") == expected_rows(store));
            CHECK(models.accounting("balances").position == store.head());
        }
    }
}

TEST_SUITE("postgres") {
    TEST_CASE("a runner whose store is replaced starts again with the new one [A1]") {
        const test::StoreLocation location;
        CapturedLog log;
        auto store = location.open(log.options());
        fill(store, 4);
        ProjectionRunner runner{store, {.poll = 5ms}};
        runner.add(Balances{});
        runner.start();
        REQUIRE(runner.wait_for(store.head(), test::patience()));
        lose_store(location);
        auto other = location.open();
        fill(other, 2);
        CHECK(eventually([&] {
            try {
                return rows(other, "balances", "balances") == expected_rows(other);
            } catch (const Error&) {
                return false;
            }
        }));
        fill(other, 1);
        CHECK(eventually(
            [&] { return rows(other, "balances", "balances") == expected_rows(other); }));
    }

    TEST_CASE("a model schema that is dropped under a running program is made again [A1]") {
        const test::StoreLocation location;
        auto store = location.open();
        fill(store, 4);
        ProjectionRunner runner{store};
        runner.add(Balances{});
        runner.run_once();
        detail::engine_of(store).read_models().remove("balances.v1.b1");
        fill(store, 1);
        for (int i = 0; i < 3; ++i) runner.run_once();
        CHECK(rows(store, "balances", "balances") == expected_rows(store));
    }
}
