#include <atomic>
#include <future>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "patience.hpp"
#include "transfer_fixture.hpp"

using namespace transfer_test;
using namespace std::chrono_literals;
using daybook::test::patience;
using daybook::test::StoreLocation;

namespace {

/// Waits until the status is as wanted. Returns the last status.
template <class Wanted>
MirrorStatus wait_until(const Mirror& mirror, const Wanted& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + patience();
    MirrorStatus status = mirror.status();
    while (!wanted(status) && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(2ms);
        status = mirror.status();
    }
    return status;
}

MirrorStatus wait_for_state(const Mirror& mirror, MirrorState state) {
    return wait_until(mirror, [state](const MirrorStatus& now) { return now.state == state; });
}

/// Holds the store lock, so that no other writer can write to the store, while it lives.
class WriteLock {
public:
    explicit WriteLock(EventStore store)
        : holder_([this, store = std::move(store)]() mutable {
              store.transact([this](Transaction& tx) {
                  // The first statement takes the lock.
                  tx.version("held-1");
                  held_.set_value();
                  release_.get_future().wait();
              });
          }) {
        held_.get_future().wait();
    }
    ~WriteLock() {
        release_.set_value();
        holder_.join();
    }
    WriteLock(const WriteLock&) = delete;
    WriteLock& operator=(const WriteLock&) = delete;

private:
    std::promise<void> held_;
    std::promise<void> release_;
    std::thread holder_;
};

}  // namespace

TEST_CASE("a mirror copies everything once") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    const Position head = append_events(source, 300);
    Mirror mirror{source, to.open(), {.batch_max = 32}};
    CHECK(mirror.run_once() == head.value());
    CHECK(mirror.run_once() == 0);
    CHECK(log_of(to.open()) == log_of(source));
    const MirrorStatus status = mirror.status();
    CHECK(status.state == MirrorState::stopped);
    CHECK(status.position == head);
    CHECK(status.stored == head.value());
    CHECK(status.lag() == 0);

    const SqliteLocation home;
    CHECK(Mirror{to.open(), home.open()}.run_once() == head.value());
    CHECK(log_of(home.open()) == log_of(source));
}

TEST_CASE("a mirror follows new events, also after a restart") {
    const StoreLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 50);
    std::mt19937 random{7};
    for (int round = 0; round < 8; ++round) {
        // The mirror opens both stores itself, as another process would.
        Mirror mirror{from.open(), to.open(), {.batch_max = 16, .queued_events_max = 64}};
        mirror.start();
        append_events(source, 40);
        std::this_thread::sleep_for(
            std::chrono::microseconds{std::uniform_int_distribution<int>{0, 20'000}(random)});
        mirror.stop();
        CHECK(mirror.status().state == MirrorState::stopped);
    }
    Mirror mirror{from.open(), to.open()};
    mirror.start();
    append_events(source, 40);
    CHECK(mirror.wait_for(source.head(), patience()));
    CHECK(wait_for_state(mirror, MirrorState::live).state == MirrorState::live);
    source.append("late-1", any_version, {numbered(1)});
    CHECK(mirror.wait_for(source.head(), patience()));
    CHECK(log_of(to.open()) == log_of(source));
    CHECK(mirror.status().stored == source.head().value());
}

TEST_CASE("a mirror waits for a target that is away for a while") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    Mirror mirror{source,
                  to.open({.busy_wait_max = 20ms}),
                  {.batch_max = 16, .queued_events_max = 64, .retry = every(5ms)}};
    mirror.start();
    CHECK(mirror.wait_for(source.head(), patience()));
    {
        const WriteLock lock{to.open()};
        append_events(source, 100);
        const MirrorStatus status = wait_for_state(mirror, MirrorState::waiting);
        CHECK(status.state == MirrorState::waiting);
        CHECK_FALSE(status.last_error.empty());
        append_events(source, 300);
        CHECK(mirror.status().position < source.head());
        CHECK(mirror.status().queued_events_peak <= 64);
    }
    CHECK(mirror.wait_for(source.head(), patience()));
    CHECK(log_of(to.open()) == log_of(source));
    CHECK(wait_for_state(mirror, MirrorState::live).last_error.empty());
    CHECK(mirror.failure() == nullptr);
}

TEST_CASE("a slow target holds the reader back") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    const Position head = append_events(source, 200);
    EventStore target = to.open();
    std::size_t transactions = 0;
    const auto slow = target.add_commit_hook([&](Transaction&) {
        ++transactions;
        std::this_thread::sleep_for(1ms);
    });
    const auto keep = [](const StreamName&, NewEvent&) { return true; };
    SUBCASE("by the number of events") {
        Mirror mirror{source, target, {.map = keep, .batch_max = 20, .queued_events_max = 50}};
        CHECK(mirror.run_once() == head.value());
        CHECK(mirror.status().queued_events_peak <= 50);
        CHECK(mirror.status().queued_events_peak > 20);
        CHECK(transactions >= head.value() / 20);
    }
    SUBCASE("by their size") {
        constexpr std::size_t bytes_max = 10'000;
        Mirror mirror{source, target, {.map = keep, .queued_bytes_max = bytes_max}};
        CHECK(mirror.run_once() == head.value());
        CHECK(mirror.status().queued_bytes_peak <= bytes_max);
        CHECK(mirror.status().queued_bytes_peak > bytes_max / 2);
    }
    SUBCASE("one event over the limit still goes through") {
        Mirror mirror{source, target, {.queued_bytes_max = 1}};
        CHECK(mirror.run_once() == head.value());
        CHECK(mirror.status().queued_events_peak == 1);
    }
    CHECK(log_of(target) == log_of(source));
}

TEST_CASE("of two mirrors with one name the older stores nothing any more") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    Mirror older{from.open(), to.open()};
    older.start();
    CHECK(older.wait_for(source.head(), patience()));
    Mirror newer{from.open(), to.open()};
    newer.start();
    CHECK(wait_for_state(newer, MirrorState::live).state == MirrorState::live);
    append_events(source, 200);
    CHECK(newer.wait_for(source.head(), patience()));
    const MirrorStatus status = wait_for_state(older, MirrorState::halted);
    CHECK(status.state == MirrorState::halted);
    CHECK(status.last_error.find("'mirror' was started again") != std::string::npos);
    CHECK(newer.status().state != MirrorState::halted);
    CHECK(log_of(to.open()) == log_of(source));
}

TEST_CASE("a map leaves out and changes events and versions follow") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    const auto map = [](const StreamName& stream, NewEvent& event) {
        if (stream.category() == "secret") return false;
        event.metadata = R"({"shop":7})";
        if (event.type.name == "thing.renamed") {
            event.type = EventType{"thing.called", 3};
            return true;
        }
        return event.data != "{\"n\":2}";
    };
    // Each round is a new mirror, which must account for the events that an earlier one left out.
    for (int round = 0; round < 3; ++round) {
        source.append("thing-1", any_version, {numbered(1), numbered(2), numbered(3), numbered(2)});
        source.append("secret-1", any_version, {numbered(1)});
        source.append("thing-2", any_version, {numbered(4, "thing.renamed")});
        Mirror mirror{source, to.open(), {.map = map, .batch_max = 4}};
        CHECK(mirror.run_once() == 6);
        CHECK(mirror.status().dropped == 3U * static_cast<unsigned>(round + 1));
        CHECK(mirror.status().stored == 3U * static_cast<unsigned>(round + 1));
    }
    EventStore target = to.open();
    CHECK(target.version("thing-1") == Version{6});
    CHECK(target.version("thing-2") == Version{3});
    CHECK(target.version("secret-1") == Version{0});
    std::string data;
    for (const EventView event : target.read("thing-1")) {
        data += event.data();
        CHECK(event.metadata() == R"({"shop":7})");
    }
    CHECK(data == R"({"n":1}{"n":3}{"n":1}{"n":3}{"n":1}{"n":3})");
    for (const EventView event : target.read("thing-2")) {
        CHECK(event.type() == "thing.called");
        CHECK(event.schema_version() == 3);
    }
}

TEST_CASE("a map that throws or changes ids halts its mirror") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 5);
    MirrorMap map;
    SUBCASE("throws") {
        map = [](const StreamName&, NewEvent&) -> bool { throw std::domain_error{"not this one"}; };
    }
    SUBCASE("changes an id") {
        map = [](const StreamName&, NewEvent& event) {
            event.id = EventId::generate();
            return true;
        };
    }
    Mirror mirror{source, to.open(), {.map = map}};
    CHECK_THROWS(mirror.run_once());
    mirror.start();
    CHECK(wait_for_state(mirror, MirrorState::halted).state == MirrorState::halted);
    CHECK(mirror.failure() != nullptr);
    CHECK(to.open().head() == Position{0});
}

TEST_CASE("two sources feed one target and keep the versions of their streams") {
    const SqliteLocation north;
    const SqliteLocation south;
    const StoreLocation to;
    EventStore one = north.open();
    EventStore other = south.open();
    EventStore target = to.open();
    Mirror first{one, to.open(), {.name = "north", .batch_max = 8}};
    Mirror second{other, to.open(), {.name = "south", .batch_max = 8}};
    first.start();
    second.start();
    for (int i = 0; i < 100; ++i) {
        one.append("north-1", any_version, {numbered(1), numbered(2)});
        other.append("south-1", any_version, {numbered(3)});
    }
    CHECK(first.wait_for(one.head(), patience()));
    CHECK(second.wait_for(other.head(), patience()));
    CHECK(target.head() == Position{300});
    CHECK(target.version("north-1") == Version{200});
    CHECK(target.version("south-1") == Version{100});
}

TEST_CASE("a stream that another program writes in the target halts the mirror, which names it") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    EventStore target = to.open();
    source.append("thing-1", any_version, {numbered(1)});
    source.append("thing-2", any_version, {numbered(2)});
    target.append("thing-2", any_version, {numbered(9)});
    Mirror mirror{source, to.open(), {.batch_max = 1, .queued_events_max = 1}};
    CHECK_THROWS_WITH_AS(mirror.run_once(), doctest::Contains("thing-2"), ConflictError);
    CHECK(target.head() == Position{2});
    mirror.start();
    const MirrorStatus status = wait_for_state(mirror, MirrorState::halted);
    CHECK(status.last_error.find("thing-2") != std::string::npos);
    CHECK(status.position == Position{1});
    CHECK_THROWS_AS(std::rethrow_exception(mirror.failure()), ConflictError);
}

TEST_CASE("a mirror does not go on with another source") {
    const SqliteLocation from;
    const SqliteLocation other;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 10);
    Mirror{source, to.open()}.run_once();
    EventStore stranger = other.open();
    SUBCASE("a longer one") { append_events(stranger, 20); }
    SUBCASE("a shorter one") { append_events(stranger, 2); }
    Mirror mirror{stranger, to.open()};
    CHECK_THROWS_WITH_AS(mirror.run_once(), doctest::Contains("name the same source"),
                         InvalidError);
    CHECK(log_of(to.open()) == log_of(source));
}

TEST_CASE("a mirror goes on where a migration of its source has ended") {
    const SqliteLocation from;
    const StoreLocation to;
    EventStore source = from.open();
    append_events(source, 20);
    migrate(source, to.open());
    append_events(source, 2);
    Mirror mirror{source, to.open()};
    CHECK(mirror.run_once() == 4);
    CHECK(mirror.status().stored == 4);
    CHECK(log_of(to.open()) == log_of(source));
    // A mirror of another name has to start at the first event, and finds all of them stored.
    Mirror again{source, to.open(), {.name = "again", .batch_max = 7}};
    again.run_once();
    CHECK(log_of(to.open()) == log_of(source));
}

TEST_CASE("a mirror with limits of nothing is refused" * doctest::test_suite("sqlite")) {
    const SqliteLocation from;
    EventStore store = from.open();
    CHECK_THROWS_AS((Mirror{store, store, {.name = ""}}), InvalidError);
    CHECK_THROWS_AS((Mirror{store, store, {.batch_max = 0}}), InvalidError);
    CHECK_THROWS_AS((Mirror{store, store, {.queued_events_max = 0}}), InvalidError);
    CHECK_THROWS_AS((Mirror{store, store, {.queued_bytes_max = 0}}), InvalidError);
}
