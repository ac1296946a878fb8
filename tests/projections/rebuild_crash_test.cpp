#include <csignal>

#include <doctest/doctest.h>
#include <unistd.h>

#include "bank.hpp"
#include "child_process.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "store_location.hpp"

using namespace bank;
using namespace std::chrono_literals;

namespace {

constexpr RebuildPhase all_phases[] = {RebuildPhase::claimed,     RebuildPhase::applying,
                                       RebuildPhase::indexing,    RebuildPhase::finishing,
                                       RebuildPhase::catching_up, RebuildPhase::switching_over,
                                       RebuildPhase::done};

/// Runs a rebuild in a child process that kills itself with SIGKILL at `phase`. The next rebuild
/// has to wait for its lease.
void rebuild_and_die(const std::string& uri, Lifecycle lifecycle, RebuildPhase phase,
                     const Probe& probe, std::chrono::milliseconds lease = 50ms) {
    test::ChildProcess child{[&](const test::ChildProcess::Report&) {
        auto store = EventStore::open(uri);
        ProjectionRunner runner{store};
        runner.add(Balances{probe}, lifecycle);
        runner.rebuild("balances", {.progress =
                                        [&](const RebuildProgress& progress) {
                                            if (progress.phase == RebuildPhase::indexing) {
                                                store.append(account(0), any_version,
                                                             {Deposited{1}});
                                            }
                                            if (progress.phase != phase) return;
                                            ::kill(::getpid(), SIGKILL);
                                        },
                                    .commit_events = 10,
                                    .lease = lease});
    }};
    CHECK(child.wait() == -1);
}

void check_model(const std::string& uri, Lifecycle lifecycle) {
    auto store = EventStore::open(uri);
    ProjectionRunner runner{store};
    runner.add(Balances{}, lifecycle);
    runner.run_once();
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
    CHECK(runner.status("balances").accounting.sum() == store.head().value());
}

}  // namespace

TEST_CASE("a rebuild killed in any phase leaves the old model whole and can be continued") {
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        for (const RebuildPhase phase : all_phases) {
            CAPTURE(to_string(phase));
            CAPTURE(to_string(lifecycle));
            const test::StoreLocation location;
            const std::string& uri = location.uri();
            {
                auto store = EventStore::open(uri, {.durability = Durability::normal});
                History{41}.append_to(store, 120);
            }
            check_model(uri, lifecycle);
            rebuild_and_die(uri, lifecycle, phase, {});
            check_model(uri, lifecycle);
            auto store = EventStore::open(uri);
            ProjectionRunner runner{store};
            runner.add(Balances{}, lifecycle);
            const RebuildResult result = runner.rebuild("balances");
            CHECK(result.resumed == (phase != RebuildPhase::done));
            CHECK(rows(store, "balances", "balances") == expected_rows(store));
            CHECK(detail::engine_of(store).read_models().list().size() ==
                  (lifecycle == Lifecycle::async ? 1 : 0));
        }
    }
}

TEST_CASE("a rebuild killed at any event continues from its last commit") {
    const test::StoreLocation location;
    const std::string& uri = location.uri();
    {
        auto store = EventStore::open(uri, {.durability = Durability::normal});
        History{42}.append_to(store, 150);
    }
    check_model(uri, Lifecycle::async);
    std::uint64_t scanned_before = 0;
    for (const std::uint64_t at : {1U, 11U, 12U, 50U, 99U, 149U}) {
        rebuild_and_die(uri, Lifecycle::async, RebuildPhase::done, [at](Position position) {
            if (position >= Position{at}) ::kill(::getpid(), SIGKILL);
        });
        check_model(uri, Lifecycle::async);
        auto store = EventStore::open(uri);
        const auto left = ProjectionRunner{store}.status("balances").rebuild;
        REQUIRE(left.has_value());
        scanned_before = at;
    }
    auto store = EventStore::open(uri);
    ProjectionRunner runner{store};
    runner.add(Balances{});
    const RebuildResult result = runner.rebuild("balances");
    CHECK(result.resumed);
    CHECK(result.scanned > store.head().value() - scanned_before);
    CHECK(result.scanned < store.head().value());
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a rebuild that is called again after a kill waits for the lease of the dead one") {
    const test::StoreLocation location;
    const std::string& uri = location.uri();
    auto store = EventStore::open(uri, {.durability = Durability::normal});
    History{43}.append_to(store, 50);
    rebuild_and_die(uri, Lifecycle::async, RebuildPhase::indexing, {}, 400ms);
    const Leases leases{store};
    const std::vector<Lease> left = leases.list();
    REQUIRE(left.size() == 1);
    CHECK(left.front().name == "rebuild:balances");
    ProjectionRunner runner{store};
    runner.add(Balances{});
    CHECK(runner.rebuild("balances").resumed);
    CHECK(leases.now() >= left.front().until);
    CHECK(leases.list().empty());
    CHECK(rows(store, "balances", "balances") == expected_rows(store));
}

TEST_CASE("a feeding process killed at any event has counted each once") {
    for (const Lifecycle lifecycle : {Lifecycle::async, Lifecycle::inline_}) {
        const test::StoreLocation location;
        const std::string& uri = location.uri();
        for (const std::uint64_t further : {1U, 7U, 8U, 30U, 60U}) {
            const std::uint64_t at = EventStore::open(uri).head().value() + further;
            test::ChildProcess child{[&](const test::ChildProcess::Report&) {
                auto store = EventStore::open(uri, {.durability = Durability::normal});
                ProjectionRunner runner{store, {.batch_events_max = 4}};
                runner.add(Balances{[at](Position position) {
                               if (position >= Position{at}) ::kill(::getpid(), SIGKILL);
                           }},
                           lifecycle);
                runner.run_once();
                for (auto number = static_cast<int>(at);; ++number) {
                    const std::string stream = "account-" + std::to_string(at) + account(number);
                    store.append(stream, no_stream, {Opened{"x"}, Deposited{number}});
                    runner.run_once();
                }
            }};
            CHECK(child.wait() == -1);
            check_model(uri, lifecycle);
        }
    }
}
