#include <doctest/doctest.h>

#include "daybook/eventstore/eventstore.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;

namespace {

struct Bench {
    VirtualClock clock{parse_iso8601("2026-01-01")};
    EventStore store = test::new_store();
    Leases leases{store, clock};

    bool held(const Lease& lease) {
        bool held = false;
        store.transact([&](Transaction& tx) { held = leases.held(tx, lease); });
        return held;
    }
};

}  // namespace

TEST_CASE("a lease that one owner holds is not given to another") {
    Bench bench;
    const auto mine = bench.leases.try_acquire("feed", "a", 5s);
    REQUIRE(mine.has_value());
    CHECK(mine->token == 1);
    CHECK(mine->until == bench.clock.now() + 5s);
    CHECK_FALSE(bench.leases.try_acquire("feed", "b", 5s).has_value());
    CHECK(bench.leases.try_acquire("other work", "b", 5s).has_value());
}

TEST_CASE(
    "an expired lease goes to the next owner that acquires it and the late owner is fenced off") {
    Bench bench;
    auto late = bench.leases.try_acquire("feed", "a", 5s);
    bench.clock.advance(5s);
    CHECK(bench.held(*late));
    const auto next = bench.leases.try_acquire("feed", "b", 5s);
    REQUIRE(next.has_value());
    CHECK(next->token == 2);
    CHECK(bench.held(*next));
    CHECK_FALSE(bench.held(*late));
    CHECK_FALSE(bench.leases.renew(*late, 5s));
    bench.leases.release(*late);
    CHECK(bench.held(*next));
}

TEST_CASE("an owner that acquires again has a new token and its old lease is void") {
    Bench bench;
    const auto before = bench.leases.try_acquire("feed", "a", 5s);
    const auto after = bench.leases.try_acquire("feed", "a", 5s);
    REQUIRE(after.has_value());
    CHECK(after->token > before->token);
    CHECK_FALSE(bench.held(*before));
    CHECK(bench.held(*after));
}

TEST_CASE("a renewed lease is held for longer") {
    Bench bench;
    auto lease = bench.leases.try_acquire("feed", "a", 5s);
    bench.clock.advance(4s);
    CHECK(bench.leases.renew(*lease, 5s));
    CHECK(lease->until == bench.clock.now() + 5s);
    bench.clock.advance(4s);
    CHECK_FALSE(bench.leases.try_acquire("feed", "b", 5s).has_value());
}

TEST_CASE("an expired lease is renewed if no other owner has acquired it") {
    Bench bench;
    auto lease = bench.leases.try_acquire("feed", "a", 5s);
    bench.clock.advance(1h);
    CHECK(bench.leases.renew(*lease, 5s));
    CHECK_FALSE(bench.leases.try_acquire("feed", "b", 5s).has_value());
}

TEST_CASE("a released lease is free at once and its token never comes back") {
    Bench bench;
    auto lease = bench.leases.try_acquire("feed", "a", 5s);
    bench.leases.release(*lease);
    CHECK_FALSE(bench.held(*lease));
    CHECK_FALSE(bench.leases.renew(*lease, 5s));
    CHECK(bench.leases.list().empty());
    const auto next = bench.leases.try_acquire("feed", "b", 5s);
    REQUIRE(next.has_value());
    CHECK(next->token == 2);
}

TEST_CASE("a lease is held to the machine's clock and not to the store's") {
    const VirtualClock history{parse_iso8601("1996-07-04")};
    auto store = test::new_store({.clock = &history});
    Leases leases{store};
    const auto lease = leases.try_acquire("feed", "a", 1h);
    CHECK(lease->until > SystemClock::instance().now());
}

TEST_CASE("the leases can be listed") {
    Bench bench;
    bench.leases.try_acquire("relay", "b", 5s);
    bench.leases.try_acquire("feed", "a", 5s);
    const auto list = bench.leases.list();
    REQUIRE(list.size() == 2);
    CHECK(list[0].name == "feed");
    CHECK(list[0].owner == "a");
    CHECK(list[0].token == 1);
    CHECK(list[1].name == "relay");
}

TEST_CASE("a lease without name or owner or time is refused") {
    Bench bench;
    CHECK_THROWS_AS(bench.leases.try_acquire("", "a", 5s), InvalidError);
    CHECK_THROWS_AS(bench.leases.try_acquire("feed", "", 5s), InvalidError);
    CHECK_THROWS_AS(bench.leases.try_acquire("feed", "a", 0s), InvalidError);
    auto lease = bench.leases.try_acquire("feed", "a", 5s);
    CHECK_THROWS_AS(bench.leases.renew(*lease, -1s), InvalidError);
}

TEST_CASE("many leases at once are acquired and renewed and released as one by one") {
    Bench bench;
    std::vector<std::string> names;
    for (int n = 0; n < 40; ++n) names.push_back("work/" + std::to_string(n));
    bench.leases.release(*bench.leases.try_acquire("work/1", "b", 5s));
    const auto others = bench.leases.try_acquire("work/2", "b", 5s);
    const auto own = bench.leases.try_acquire("work/3", "a", 5s);
    const auto late = bench.leases.try_acquire("work/35", "b", 1s);
    bench.clock.advance(2s);
    std::vector<Lease> leases;
    bench.store.transact(
        [&](Transaction& tx) { leases = bench.leases.try_acquire(tx, names, "a", 5s); });
    REQUIRE(leases.size() == 39);
    for (const Lease& lease : leases) {
        CAPTURE(lease.name);
        CHECK(lease.name != "work/2");
        CHECK(bench.held(lease));
        CHECK(lease.until == bench.clock.now() + 5s);
    }
    CHECK(bench.held(*others));
    CHECK_FALSE(bench.held(*own));
    CHECK_FALSE(bench.held(*late));

    const auto stolen = bench.leases.try_acquire("work/7", "a", 5s);
    bench.clock.advance(1s);
    std::vector<Lease> renewed;
    bench.store.transact([&](Transaction& tx) { renewed = bench.leases.renew(tx, leases, 9s); });
    CHECK(renewed.size() == 38);
    bench.clock.advance(8s);
    CHECK_FALSE(bench.leases.try_acquire("work/38", "b", 5s).has_value());
    CHECK(bench.leases.try_acquire("work/7", "b", 5s).has_value());

    bench.store.transact([&](Transaction& tx) {
        bench.leases.release(tx, leases);
        const auto left = bench.leases.find(tx, names);
        REQUIRE(left.size() == 2);
        for (const Lease& lease : left) CHECK(lease.owner == "b");
    });
    CHECK_FALSE(bench.held(*stolen));
}

TEST_CASE("an empty list of leases changes nothing") {
    Bench bench;
    bench.store.transact([&](Transaction& tx) {
        const std::vector<std::string> names;
        const std::vector<Lease> leases;
        CHECK(bench.leases.try_acquire(tx, names, "a", 5s).empty());
        CHECK(bench.leases.renew(tx, leases, 5s).empty());
        CHECK(bench.leases.find(tx, names).empty());
        CHECK_NOTHROW(bench.leases.release(tx, leases));
    });
}
