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
#include "store_location.hpp"

// P12. Three writers on three connections; a transaction has three steps: it allocates its
// positions, inserts its events, and ends by commit or roll back. All orders of the nine steps are
// tried, with all ways to end, and every reader reads after each step. The writers are alike, so of
// orders that differ only in the names of the writers, the one in which they start as 0, 1, 2 is
// tried.
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
using WriterTransaction = std::function<void(const Next& next, bool commits)>;

/// Runs schedules: has a thread for each writer, which does its next step on request.
class ScheduleRunner {
public:
    explicit ScheduleRunner(std::array<WriterTransaction, writers> transactions) {
        for (std::size_t i = 0; i < writers; ++i) {
            threads_[i] = std::jthread{
                [this, i, transaction = std::move(transactions[i])] { write(i, transaction); }};
        }
    }
    ~ScheduleRunner() {
        {
            const std::scoped_lock lock{mutex_};
            ended_ = true;
        }
        changed_.notify_all();
    }

    /// Runs the steps in the order given. `check` runs after every step.
    void run(const Order& order, unsigned commits, const std::function<void()>& check) {
        {
            const std::scoped_lock lock{mutex_};
            for (std::size_t i = 0; i < writers; ++i) {
                states_[i] = {.commits = (commits >> i & 1U) != 0};
            }
        }
        for (const int writer : order) {
            {
                std::unique_lock lock{mutex_};
                ++states_[static_cast<std::size_t>(writer)].requested;
                changed_.notify_all();
                changed_.wait(lock, [this] { return at_rest(); });
            }
            check();
        }
    }
    std::string error() const {
        const std::scoped_lock lock{mutex_};
        return error_;
    }

private:
    struct State {
        int requested = 0;
        int done = 0;
        bool commits = false;
        bool in_transaction() const { return done > 0 && done < steps; }
    };

    // Every writer has done the steps that were requested, or waits for the lock of another writer,
    // which does its next step only on request.
    bool at_rest() const {
        const bool held = std::ranges::any_of(states_, [](const State& state) {
            return state.in_transaction() && state.done >= state.requested;
        });
        return std::ranges::all_of(states_, [&](const State& state) {
            return state.done >= state.requested || (may_wait && held && state.done == 0);
        });
    }

    void write(std::size_t writer, const WriterTransaction& transaction) {
        State& mine = states_[writer];
        const auto wait_for_request = [&](int step) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock,
                          [&] { return ended_ || (mine.done == step && mine.requested > step); });
            return !ended_;
        };
        const auto done = [&] {
            {
                const std::scoped_lock lock{mutex_};
                ++mine.done;
            }
            changed_.notify_all();
        };
        while (wait_for_request(0)) {
            try {
                transaction(
                    [&] {
                        done();
                        if (!wait_for_request(mine.done)) throw RolledBack{};
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
    explicit Sequence(std::string reader) : reader_(std::move(reader)) {}

    void add(std::uint64_t position) {
        const std::uint64_t expected = last_.load() + 1;
        if (position != expected) {
            const std::scoped_lock lock{mutex_};
            error_ = reader_ + " sees " + std::to_string(position) + " instead of " +
                     std::to_string(expected);
        }
        last_ = position;
    }
    std::uint64_t last() const { return last_; }
    std::string error() const {
        const std::scoped_lock lock{mutex_};
        return error_;
    }

private:
    const std::string reader_;
    std::atomic<std::uint64_t> last_ = 0;
    mutable std::mutex mutex_;
    std::string error_;
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
        sequence->add(e.position().value());
    }

    Sequence* sequence;
};

/// Records the position that was published with an event.
class Receiver final : public Transport {
public:
    explicit Receiver(Sequence& sequence) : sequence_(sequence) {}
    Delivery deliver(const Message& message) override {
        sequence_.add(message.as<Counted>().n);
        return {};
    }

private:
    Sequence& sequence_;
};

/// All kinds of readers of the log.
class Readers {
public:
    explicit Readers(const StoreLocation& location)
        : store_(location.open()),
          follower_(store_),
          subscription_(subscribe(location.open(), {},
                                  [this](EventView e) { subscriber_.add(e.position().value()); })),
          runner_(location.open()) {
        runner_.add(Seen{projection_});
        // Registers the model now: a transaction for it would have to wait while a writer has the
        // lock.
        runner_.run_once();
    }

    /// Every reader reads once. Returns the first error that any of them has found so far, or
    /// nothing.
    std::string read() {
        for (const EventView event : store_.read_all({.from = reader_.last() + 1})) {
            reader_.add(event.position().value());
        }
        while (const auto event = follower_.next(0ms)) followed_.add(event->position().value());
        runner_.run_once();
        // A new read sees at least the events of the one before, and its head is its last event.
        std::uint64_t last = base_;
        for (const EventView event : store_.read_all({.from = base_ + 1})) {
            last = event.position().value();
        }
        const std::uint64_t head = store_.head().value();
        if (head < last) record("the log shrinks");
        for (const Sequence* sequence : {&reader_, &followed_, &projection_, &subscriber_}) {
            if (sequence->last() > last) record("a new reader reads less than was read before");
            record(sequence->error());
        }
        return error_;
    }
    /// After a schedule, when no writer is active: every reader must read every event.
    void catch_up() {
        read();
        const Position head = store_.head();
        if (!subscription_.wait_for(head, patience())) record("the subscription has not read all");
        for (const Sequence* sequence : {&reader_, &followed_, &projection_, &subscriber_}) {
            record(sequence->error());
            if (sequence->last() != head.value()) record("a reader has not read all");
        }
        base_ = head.value();
    }
    Position head() const { return store_.head(); }
    std::string error() const { return error_; }

private:
    void record(const std::string& error) {
        if (error_.empty()) error_ = error;
    }

    Sequence reader_{"a reader"};
    Sequence followed_{"a follower"};
    Sequence subscriber_{"a subscription"};
    Sequence projection_{"a projection"};
    std::uint64_t base_ = 0;
    std::string error_;
    EventStore store_;
    Follower follower_;
    Subscription subscription_;
    ProjectionRunner runner_;
};

WriterTransaction engine_transaction(const EventStore& opened) {
    return [store = opened](const Next& next, bool commits) mutable {
        store.transact([&](Transaction& tx) {
            // The first statement takes the lock.
            tx.version("thing-1");
            next();
            const auto position = tx.append("thing-1", any_version, {numbered(1)}).position;
            tx.publish("counts", Counted{position.value()});
            next();
            if (!commits) throw RolledBack{};
        });
    };
}

std::string text_of(const Order& order, unsigned commits) {
    std::string text;
    for (const int writer : order) text += std::to_string(writer);
    return "order " + text + ", committed: " + std::to_string(commits);
}

}  // namespace

TEST_SUITE_BEGIN("postgres");

TEST_CASE("P12: no reader passes an uncommitted position in any order of three writers") {
    const StoreLocation location;
    EventStore store = location.open();
    Readers readers{location};
    Sequence relayed{"a relay"};
    Receiver receiver{relayed};
    Relay relay{location.open(), receiver, {.name = "gap"}};
    relay.start();
    ScheduleRunner runner{{engine_transaction(location.open()), engine_transaction(location.open()),
                           engine_transaction(location.open())}};

    std::uint64_t committed = 0;
    std::size_t schedules = 0;
    for (const Order& order : all_orders()) {
        for (unsigned commits = 0; commits < 1U << writers; ++commits) {
            CAPTURE(text_of(order, commits));
            runner.run(order, commits, [&] { readers.read(); });
            readers.catch_up();
            committed += static_cast<std::uint64_t>(std::popcount(commits));
            ++schedules;
            REQUIRE(runner.error() == "");
            REQUIRE(readers.error() == "");
            REQUIRE(relayed.error() == "");
            REQUIRE(relayed.last() <= committed);
            REQUIRE(readers.head() == Position{committed});
        }
    }
    CHECK(schedules == 280 * 8);
    const auto deadline = std::chrono::steady_clock::now() + patience();
    while (relayed.last() < committed && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(5ms);
    }
    relay.stop();
    CHECK(relayed.error() == "");
    CHECK(relayed.last() == committed);
    CHECK(outbox_status(store).unsent() == 0);
}

// Negative control: without the lock, positions come from a sequence. The check above must fail.
TEST_CASE("P12: positions that are given out without the lock are caught by the same check") {
    std::size_t caught = 0;
    const auto orders = all_orders();
    for (std::size_t i = 0; i < orders.size(); i += 40) {
        const PostgresSchema schema;
        const std::string in_schema = "SET search_path TO " + schema.name();
        EventStore store = EventStore::open(schema.uri());
        store.append("thing-1", any_version, {numbered(1)});
        PostgresConnection{postgres_uri()}.query(in_schema + "; CREATE SEQUENCE given START 2");
        const auto transaction = [&](const Next& next, bool commits) {
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
        const auto read = [&] {
            while (const auto event = follower.next(0ms)) reader.add(event->position().value());
        };
        ScheduleRunner runner{{transaction, transaction, transaction}};
        runner.may_wait = false;
        runner.run(orders[i], 7, read);
        read();
        CHECK(runner.error() == "");
        if (!reader.error().empty()) ++caught;
    }
    CAPTURE(caught);
    CHECK(caught > 0);
}

TEST_SUITE_END();
