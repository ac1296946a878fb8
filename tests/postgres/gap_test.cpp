#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "daybook/eventstore/subscription.hpp"
#include "daybook/messaging/messaging.hpp"
#include "daybook/projections/projections.hpp"
#include "numbered.hpp"
#include "patience.hpp"
#include "store_place.hpp"

// P12. Three writers on three connections; a unit has three steps: it allocates its positions,
// inserts its events, and ends by commit or roll back. All orders of the nine steps are tried, with
// all ways to end, and every reader reads after each step. The writers are alike, so of orders that
// differ by their names only, the one in which they begin as 0, 1, 2 is tried.
//
// A writer that waits for the lock does not hold the schedule up: it does its steps as soon as it
// has the lock.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

constexpr int writers = 3;
constexpr int steps = 3;
using Order = std::vector<int>;  // of writers, each `steps` times

std::vector<Order> all_orders() {
    Order order;
    for (int writer = 0; writer < writers; ++writer) order.insert(order.end(), steps, writer);
    std::vector<Order> orders;
    do {
        const auto first = [&](int writer) { return std::ranges::find(order, writer); };
        if (first(0) < first(1) && first(1) < first(2)) orders.push_back(order);
    } while (std::ranges::next_permutation(order).found);
    return orders;
}

struct RolledBack {};

/// One transaction of the schedule. It calls `next` between its steps, and throws RolledBack
/// instead of returning if it must not commit.
using Next = std::function<void()>;
using Unit = std::function<void(const Next& next, bool commits)>;

/// The three writers, each on a thread of its own that does a step when it is asked to.
class Stage {
public:
    explicit Stage(std::array<Unit, writers> units) {
        for (std::size_t i = 0; i < writers; ++i) {
            threads_[i] = std::jthread{[this, i, unit = std::move(units[i])] { play(i, unit); }};
        }
    }
    ~Stage() {
        {
            const std::scoped_lock lock{mutex_};
            ended_ = true;
        }
        changed_.notify_all();
    }

    /// `look` runs after every step.
    void play(const Order& order, unsigned commits, const std::function<void()>& look) {
        {
            const std::scoped_lock lock{mutex_};
            for (std::size_t i = 0; i < writers; ++i) {
                states_[i] = {.commits = (commits >> i & 1U) != 0};
            }
        }
        for (const int writer : order) {
            {
                std::unique_lock lock{mutex_};
                ++states_[static_cast<std::size_t>(writer)].asked;
                changed_.notify_all();
                changed_.wait(lock, [this] { return at_rest(); });
            }
            look();
        }
    }
    std::string error() const {
        const std::scoped_lock lock{mutex_};
        return error_;
    }

private:
    struct State {
        int asked = 0;
        int done = 0;
        bool commits = false;
        bool playing() const { return done > 0 && done < steps; }
    };

    // Every writer has done the steps it was asked for, or waits for the lock of another writer
    // that has to be asked for its next step.
    bool at_rest() const {
        const bool held = std::ranges::any_of(states_, [](const State& state) {
            return state.playing() && state.done >= state.asked;
        });
        return std::ranges::all_of(states_, [&](const State& state) {
            return state.done >= state.asked || (may_wait && held && state.done == 0);
        });
    }

    void play(std::size_t writer, const Unit& unit) {
        State& mine = states_[writer];
        const auto asked = [&](int step) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return ended_ || (mine.done == step && mine.asked > step); });
            return !ended_;
        };
        const auto done = [&] {
            {
                const std::scoped_lock lock{mutex_};
                ++mine.done;
            }
            changed_.notify_all();
        };
        while (asked(0)) {
            try {
                unit(
                    [&] {
                        done();
                        if (!asked(mine.done)) throw RolledBack{};
                    },
                    mine.commits);
            } catch (const RolledBack&) {
            } catch (const std::exception& error) {
                const std::scoped_lock lock{mutex_};
                error_ = error.what();
                mine.done = steps - 1;
            }
            done();
        }
    }

public:
    bool may_wait = true;  ///< the first step may have to wait for another writer's last

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::array<State, writers> states_{};
    bool ended_ = false;
    std::string error_;
    std::array<std::jthread, writers> threads_;
};

/// Checks that a reader sees the positions one by one: from 1, without gap or repetition.
class Sequence {
public:
    explicit Sequence(std::string who) : who_(std::move(who)) {}

    void see(std::uint64_t position) {
        const std::uint64_t expected = last_.load() + 1;
        if (position != expected) {
            const std::scoped_lock lock{mutex_};
            complaint_ = who_ + " sees " + std::to_string(position) + " instead of " +
                         std::to_string(expected);
        }
        last_ = position;
    }
    std::uint64_t last() const { return last_; }
    std::string complaint() const {
        const std::scoped_lock lock{mutex_};
        return complaint_;
    }

private:
    const std::string who_;
    std::atomic<std::uint64_t> last_ = 0;
    mutable std::mutex mutex_;
    std::string complaint_;
};

struct Counted {
    static constexpr EventType type{"thing.counted", 1};
    std::uint64_t n = 0;
    static constexpr auto fields() { return daybook::fields("n", &Counted::n); }
};

struct Seen : Projection<Seen, Counted> {
    static constexpr std::string_view name = "seen";
    static constexpr int version = 1;
    static constexpr std::string_view schema = "CREATE TABLE seen(position BIGINT PRIMARY KEY);";

    explicit Seen(Sequence& given) : sequence(&given) {}
    void on(const Recorded<Counted>& e, View& view) {
        view.exec("INSERT INTO seen VALUES(?)", e.position());
        sequence->see(e.position().value());
    }

    Sequence* sequence;
};

/// Tells the position that was published with an event.
class Receiver final : public Transport {
public:
    explicit Receiver(Sequence& sequence) : sequence_(sequence) {}
    Delivery deliver(const Message& message) override {
        sequence_.see(message.as<Counted>().n);
        return {};
    }

private:
    Sequence& sequence_;
};

/// All readers.
class Audience {
public:
    explicit Audience(const StorePlace& place)
        : store_(place.open()),
          follower_(store_),
          subscription_(subscribe(place.open(), {},
                                  [this](EventView e) { subscriber_.see(e.position().value()); })),
          runner_(place.open()) {
        runner_.add(Seen{projection_});
        // The model is registered by a unit, which could not be had while a writer has the lock.
        runner_.run_once();
    }

    /// Every reader reads once. Returns the first fault that one has found so far, or nothing.
    std::string look() {
        for (const EventView event : store_.read_all({.from = reader_.last() + 1})) {
            reader_.see(event.position().value());
        }
        while (const auto event = follower_.next(0ms)) followed_.see(event->position().value());
        runner_.run_once();
        // A new read sees at least the events of the one before, and its head is its last event.
        std::uint64_t last = base_;
        for (const EventView event : store_.read_all({.from = base_ + 1})) {
            last = event.position().value();
        }
        const std::uint64_t head = store_.head().value();
        if (head < last) note("the log shrinks");
        for (const Sequence* one : {&reader_, &followed_, &projection_, &subscriber_}) {
            if (one->last() > last) note("a new reader sees less than was seen before");
            note(one->complaint());
        }
        return complaint_;
    }
    /// After a schedule, when no writer is at work: every reader has seen every event.
    void settle() {
        look();
        const Position head = store_.head();
        if (!subscription_.wait_for(head, patience())) note("the subscription has not seen all");
        for (const Sequence* one : {&reader_, &followed_, &projection_, &subscriber_}) {
            note(one->complaint());
            if (one->last() != head.value()) note("somebody has not seen all");
        }
        base_ = head.value();
    }
    Position head() const { return store_.head(); }
    std::string complaint() const { return complaint_; }

private:
    void note(const std::string& complaint) {
        if (complaint_.empty()) complaint_ = complaint;
    }

    Sequence reader_{"a reader"};
    Sequence followed_{"a follower"};
    Sequence subscriber_{"a subscription"};
    Sequence projection_{"a projection"};
    std::uint64_t base_ = 0;
    std::string complaint_;
    EventStore store_;
    Follower follower_;
    Subscription subscription_;
    ProjectionRunner runner_;
};

Unit engine_unit(const EventStore& opened) {
    return [store = opened](const Next& next, bool commits) mutable {
        store.transact([&](Transaction& tx) {
            // The lock comes with the first statement.
            tx.version("thing-1");
            next();
            const auto position = tx.append("thing-1", any, {numbered(1)}).position;
            tx.publish("counts", Counted{position.value()});
            next();
            if (!commits) throw RolledBack{};
        });
    };
}

std::string in_words(const Order& order, unsigned commits) {
    std::string text;
    for (const int writer : order) text += std::to_string(writer);
    return "order " + text + ", committed: " + std::to_string(commits);
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("P12: nobody passes an uncommitted position in any order of three writers") {
    const StorePlace place;
    EventStore store = place.open();
    Audience audience{place};
    Sequence relayed{"a relay"};
    Receiver receiver{relayed};
    Relay relay{place.open(), receiver, {.name = "gap"}};
    relay.start();
    Stage stage{{engine_unit(place.open()), engine_unit(place.open()), engine_unit(place.open())}};

    std::uint64_t committed = 0;
    std::size_t schedules = 0;
    for (const Order& order : all_orders()) {
        for (unsigned commits = 0; commits < 1U << writers; ++commits) {
            CAPTURE(in_words(order, commits));
            stage.play(order, commits, [&] { audience.look(); });
            audience.settle();
            committed += static_cast<std::uint64_t>(std::popcount(commits));
            ++schedules;
            REQUIRE(stage.error() == "");
            REQUIRE(audience.complaint() == "");
            REQUIRE(relayed.complaint() == "");
            REQUIRE(relayed.last() <= committed);
            REQUIRE(audience.head() == Position{committed});
        }
    }
    CHECK(schedules == 280 * 8);
    const auto deadline = std::chrono::steady_clock::now() + patience();
    while (relayed.last() < committed && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(5ms);
    }
    relay.stop();
    CHECK(relayed.complaint() == "");
    CHECK(relayed.last() == committed);
    CHECK(outbox_status(store).unsent() == 0);
}

// What a store without the lock would do: positions from a sequence. The check above must see it.
TEST_CASE("P12: positions that are given out without the lock are caught by the same check") {
    std::size_t caught = 0;
    const auto orders = all_orders();
    for (std::size_t i = 0; i < orders.size(); i += 40) {
        const PostgresSchema schema;
        const std::string in_schema = "SET search_path TO " + schema.name();
        EventStore store = EventStore::open(schema.uri());
        store.append("thing-1", any, {numbered(1)});
        PostgresConnection{postgres_uri()}.query(in_schema + "; CREATE SEQUENCE given START 2");
        const auto unit = [&](const Next& next, bool commits) {
            PostgresConnection connection{postgres_uri()};
            connection.query(in_schema);
            connection.query("BEGIN");
            const std::string position = connection.field("SELECT nextval('given')");
            next();
            connection.query(
                "INSERT INTO daybook_event SELECT " + position + ", stream, " + position +
                ", category, type, recorded_at, gen_random_uuid(), NULL, NULL, data, NULL "
                "FROM daybook_event WHERE position = 1");
            next();
            if (!commits) throw RolledBack{};
            connection.query("COMMIT");
        };
        Sequence reader{"a reader"};
        Follower follower{store};
        const auto look = [&] {
            while (const auto event = follower.next(0ms)) reader.see(event->position().value());
        };
        Stage stage{{unit, unit, unit}};
        stage.may_wait = false;
        stage.play(orders[i], 7, look);
        look();
        CHECK(stage.error() == "");
        if (!reader.complaint().empty()) ++caught;
    }
    CAPTURE(caught);
    CHECK(caught > 0);
}

TEST_SUITE_END();
