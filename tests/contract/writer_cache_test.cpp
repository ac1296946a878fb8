#include <map>
#include <random>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "numbered.hpp"
#include "store_location.hpp"

using namespace daybook;
using namespace daybook::test;

// A writer caches the versions of the streams that it has appended to, so that it need not select
// them. It must notice the appends of other writers, whatever their number and order.

namespace {

std::vector<NewEvent> numbered_events(std::size_t count, const char* type) {
    std::vector<NewEvent> events;
    for (std::size_t i = 0; i < count; ++i) events.push_back(numbered(i, type));
    return events;
}

/// What the log must be if each append counts exactly once.
class Model {
public:
    Version version(const std::string& stream) { return versions_[stream]; }
    void append(const std::string& stream, std::size_t events) {
        versions_[stream] = versions_[stream].value() + events;
        head_ = head_.value() + events;
    }
    void check(const AppendOutcome& outcome, const std::string& stream) {
        REQUIRE(std::holds_alternative<AppendResult>(outcome));
        CHECK(std::get<AppendResult>(outcome).position == head_);
        CHECK(std::get<AppendResult>(outcome).version == versions_[stream]);
    }
    void check(EventStore& store) {
        CHECK(store.head() == head_);
        for (const auto& [stream, version] : versions_) {
            std::uint64_t next = 0;
            for (const EventView event : store.read(stream)) {
                CHECK(event.version() == Version{++next});
            }
            CHECK(next == version.value());
        }
    }

private:
    std::map<std::string, Version> versions_;
    Position head_;
};

/// The random choices of one step.
struct Step {
    explicit Step(std::mt19937_64& random)
        : action(random() % 12),
          handle(random() % 16 == 0),
          stream("thing-" + std::to_string(random() % 5)),
          type(random() % 8 == 0 ? "thing.second" : "thing.first"),
          events(1 + random() % 6) {}

    std::uint64_t action;
    bool handle;  ///< switch to the other handle
    std::string stream;
    const char* type;
    std::size_t events;
};

}  // namespace

TEST_CASE("alternating writers take account of each other's appends") {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        const StoreLocation location;
        std::vector<EventStore> handles{location.open(), location.open()};
        std::size_t current = 0;
        std::mt19937_64 random{seed};
        Model model;
        for (int i = 0; i < 200; ++i) {
            const Step step{random};
            if (step.handle) current = 1 - current;
            EventStore& store = handles[current];
            const auto events = numbered_events(step.events, step.type);
            const Version version = model.version(step.stream);
            if (step.action <= 1) {
                // A version that is no longer true, or has never been.
                const Version wrong = random() % (version.value() + 2);
                if (wrong == version) continue;
                const auto refused = store.try_append(step.stream, at_version(wrong), events);
                REQUIRE(std::holds_alternative<Conflict>(refused));
                CHECK(std::get<Conflict>(refused).actual == version);
                continue;
            }
            if (step.action == 2) {
                CHECK_THROWS(store.transact([&](Transaction& tx) {
                    tx.append(step.stream, any_version, events);
                    throw std::runtime_error("rolled back");
                }));
                continue;
            }
            const auto expected = random() % 2 == 0 ? any_version : at_version(version);
            model.append(step.stream, step.events);
            if (step.action == 3) {
                store.transact([&](Transaction& tx) { tx.append(step.stream, expected, events); });
                continue;
            }
            model.check(store.try_append(step.stream, expected, events), step.stream);
        }
        model.check(handles[0]);
    }
}

TEST_CASE("a new stream is created though another append of its group is refused") {
    const StoreLocation location;
    EventStore store = location.open();
    const StreamName refused{"thing-1"};
    const StreamName made{"thing-2"};
    const auto events = numbered_events(2, "thing.counted");
    const auto others = numbered_events(2, "thing.counted");
    const AppendRequest first{refused, at_version(7), events, store.clock().now(), {}};
    const AppendRequest second{made, no_stream, others, store.clock().now(), {}};
    const AppendRequest* const group[] = {&first, &second};
    const auto outcomes = detail::engine_of(store).append_all(group);
    CHECK(std::holds_alternative<Conflict>(outcomes[0]));
    REQUIRE(std::holds_alternative<AppendResult>(outcomes[1]));
    CHECK(store.version(refused) == Version{0});
    CHECK(store.version(made) == Version{2});
}

TEST_CASE(
    "a group that fails leaves nothing behind though another writer has appended in between") {
    const StoreLocation location;
    EventStore store = location.open();
    EventStore other = location.open();
    const StreamName cached{"thing-1"};
    const StreamName made{"thing-2"};
    for (const Version version : {0, 4, 8}) {
        store.append(cached, at_version(version), numbered_events(4, "thing.counted"));
    }
    const NewEvent taken = numbered(0);
    other.append("other-1", any_version, {taken});
    auto events = numbered_events(4, "thing.counted");
    // So that the log ends as if this append had been stored.
    events.push_back(taken);
    const auto others = numbered_events(2, "thing.counted");
    const AppendRequest first{made, no_stream, others, store.clock().now(), {}};
    const AppendRequest second{cached, at_version(12), events, store.clock().now(), {}};
    const AppendRequest* const group[] = {&first, &second};
    CHECK_THROWS_AS(detail::engine_of(store).append_all(group), DuplicateError);
    CHECK(store.version(made) == Version{0});
    CHECK(store.version(cached) == Version{12});
    events.pop_back();
    const AppendRequest mended{cached, at_version(12), events, store.clock().now(), {}};
    const AppendRequest* const mended_group[] = {&first, &mended};
    for (const auto& outcome : detail::engine_of(store).append_all(mended_group))
        CHECK(has_stored(outcome));
    CHECK(store.version(made) == Version{2});
    CHECK(store.version(cached) == Version{16});
}

TEST_CASE(
    "concurrent: each append of a group gets its own result whatever is cached of its stream") {
    const StoreLocation location;
    std::vector<EventStore> handles{location.open(), location.open()};
    constexpr std::size_t threads = 12;
    constexpr int appends = 60;
    // doctest's checks are slow on many threads, so failures are counted and checked at the end.
    std::vector<int> wrong(threads);
    {
        std::vector<std::jthread> running;
        for (std::size_t index = 0; index < threads; ++index) {
            running.emplace_back([&, index] {
                std::mt19937_64 random{index};
                EventStore& store = handles[random() % 8 == 0 ? 1 : 0];
                std::map<std::string, Version> versions;
                for (int i = 0; i < appends; ++i) {
                    const std::string stream = "own-" + std::to_string(index) + "." +
                                               std::to_string(random() % (i < 30 ? 3 : 9));
                    Version& version = versions[stream];
                    const auto events = numbered_events(1 + random() % 4, "thing.counted");
                    const bool is_wrong = random() % 6 == 0;
                    const auto outcome = store.try_append(
                        stream, at_version(is_wrong ? version.next() : version), events);
                    const auto* const conflict = std::get_if<Conflict>(&outcome);
                    if (is_wrong) {
                        if (conflict == nullptr || conflict->actual != version) ++wrong[index];
                    } else {
                        version = version.value() + events.size();
                        const auto* const stored = std::get_if<AppendResult>(&outcome);
                        if (stored == nullptr || stored->version != version) ++wrong[index];
                    }
                }
            });
        }
    }
    CHECK(wrong == std::vector<int>(threads));
    Position next;
    for (const EventView event : handles[0].read_all()) {
        next = next.next();
        REQUIRE(event.position() == next);
    }
    std::map<std::string, Version> versions;
    for (const EventView event : handles[0].read_all()) {
        Version& version = versions[std::string(event.stream())];
        version = version.next();
        REQUIRE(event.version() == version);
    }
}
