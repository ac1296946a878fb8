#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "daybook/eventstore/eventstore.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace std::chrono_literals;

namespace {

constexpr auto for_ever = std::chrono::milliseconds::max();

void append_note(EventStore& store) {
    store.append("note-1", any_version, {NewEvent{EventType{"note.taken", 1}, "{}"}});
}

// Appends after a moment, when the tested call has probably started to wait. The tests also hold if
// it has not.
std::jthread append_soon(EventStore& store) {
    return std::jthread{[&store] {
        std::this_thread::sleep_for(30ms);
        append_note(store);
    }};
}

}  // namespace

TEST_CASE("a wait for ever ends when what it waits for is there, not at once [B10]") {
    auto store = test::new_store();
    append_note(store);
    SUBCASE("for the log to grow") {
        const Position seen = store.head();
        const auto appending = append_soon(store);
        CHECK(store.wait_beyond(seen, for_ever));
    }
    SUBCASE("for a commit") {
        const std::uint64_t commits = store.commits();
        const auto appending = append_soon(store);
        store.wait_for_commit(commits, for_ever);
        CHECK(store.commits() != commits);
    }
    SUBCASE("of a follower") {
        Follower follower{store, {.after = store.head()}};
        const auto appending = append_soon(store);
        CHECK(follower.next(for_ever).has_value());
    }
    SUBCASE("for a subscription") {
        const auto subscription = subscribe(store, {.after = store.head()}, [](EventView) {});
        const Position next = store.head().next();
        const auto appending = append_soon(store);
        CHECK(subscription.wait_for(next, for_ever));
    }
}

TEST_CASE("a wait with a negative timeout checks once and ends [B10]") {
    auto store = test::new_store();
    append_note(store);
    constexpr auto early = std::chrono::milliseconds::min();
    CHECK_FALSE(store.wait_beyond(store.head(), early));
    CHECK(store.wait_beyond(Position{0}, early));
    store.wait_for_commit(store.commits(), early);
    Follower follower{store, {.after = Position{0}}};
    CHECK(follower.next(early).has_value());
    CHECK_FALSE(follower.next(early).has_value());
    CHECK_FALSE(subscribe(store, {}, [](EventView) {}).wait_for(Position{2}, early));
}

TEST_CASE("a store whose waits are for ever opens and works, and no wait is negative [B10]") {
    const test::StoreLocation location;
    auto patient = location.open({.busy_wait_max = for_ever, .reply_wait_max = for_ever});
    append_note(patient);
    CHECK(patient.head() == Position{1});
    auto impatient = location.open({.busy_wait_max = 0ms});
    append_note(impatient);
    CHECK(impatient.head() == Position{2});
    CHECK_THROWS_AS(location.open({.busy_wait_max = -1ms}), InvalidError);
    CHECK_THROWS_AS(location.open({.reply_wait_max = 0ms}), InvalidError);
}

TEST_CASE("a lease for ever is refused, as nobody could take it over [B10]") {
    auto store = test::new_store();
    Leases leases{store};
    CHECK_THROWS_AS(leases.try_acquire("feed", "a", for_ever), InvalidError);
    auto lease = leases.try_acquire("feed", "a", 24h);
    REQUIRE(lease.has_value());
    CHECK_THROWS_AS(leases.renew(*lease, for_ever), InvalidError);
    CHECK_FALSE(leases.try_acquire("feed", "b", 24h).has_value());
}
