#include <doctest/doctest.h>

#include "daybook/eventstore/store_access.hpp"
#include "order_world.hpp"
#include "store_location.hpp"

// C. Timers and clocks.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

// Inserts the row of a timer that was deleted: a second orchestrator may have read it before.
struct TimerRow {
    std::string kind;
    std::string hash;
    std::int64_t due_at = 0;

    static TimerRow of(const OrderWorld& world) {
        TimerRow row;
        world.store.query([&](Sql& sql) {
            sql.each("SELECT kind, hash, due_at FROM daybook_saga_timer", [&](const SqlRow& found) {
                row = {std::string(found.text(0)), std::string(found.text(1)), found.integer(2)};
            });
        });
        return row;
    }
    void put_back(OrderWorld& world, int generation = 1) const {
        world.store.transact([&](Transaction& tx) {
            detail::store_sql(tx).exec(
                "INSERT INTO daybook_saga_timer(definition, key, kind, generation, hash, due_at) "
                "VALUES('fulfil-order', '1', ?, ?, ?, ?) "
                "ON CONFLICT(definition, key, kind) DO UPDATE SET "
                "generation = excluded.generation, due_at = excluded.due_at",
                kind, generation, hash, due_at);
        });
    }
};

}  // namespace

TEST_CASE("C1: a timer that fires twice makes one transition") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    const TimerRow timer = TimerRow::of(world);
    world.clock->advance(5s);
    CHECK(world.orchestrator->run_once() == 1);
    const Version after = world.explain().journal_version;
    timer.put_back(world);
    CHECK(world.orchestrator->run_once() == 0);
    CHECK(world.explain().journal_version == after);
    CHECK(world.explain().state.steps[0].forward.attempts == 2);
}

TEST_CASE("C2: a timer that fires after the awaited reply does nothing") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.settle();
    const TimerRow timer = TimerRow::of(world);
    world.clock->advance(1s);
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.settle();
    world.clock->advance(4s);
    const Version before = world.explain().journal_version;
    timer.put_back(world);
    CHECK(world.orchestrator->run_once() == 0);
    CHECK(world.explain().journal_version == before);
    CHECK(world.orchestrator->last_error().empty());
    // The timer of the step that is awaited now is still armed.
    CHECK(world.orchestrator->next_due() == world.explain().state.timer->due_at);
}

TEST_CASE(
    "C3: of a timer and a reply in the same instant one decides and the other is evaluated anew") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.reply_to(world.received<ReserveStock>(), StockReserved{"1"});
    world.clock->advance(5s);
    world.orchestrator->run_once();  // the timer first
    CHECK(world.explain().state.steps[0].forward.attempts == 2);
    world.settle();  // then the reply, which still answers the same command
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.times_received<ReserveStock>() == 1);
}

TEST_CASE("C4: timers that fell due while no orchestrator ran are fired once and in due order") {
    OrderWorld world;
    world.script<ReserveStock>(
        {Response::lost_command, Response::lost_command, Response::lost_command});
    for (const char* order : {"3", "1", "2"}) {
        world.place(order);
        world.settle();
        world.clock->advance(1s);
    }
    world.clock->advance(1h);
    world.restart();
    const Position before = world.store.head();
    CHECK(world.orchestrator->run_once() == 3);
    Texts fired;
    for (const EventView event :
         world.store.read_all({.from = before.next(), .filter = {.categories = {"saga"}}}))
        fired.emplace_back(event.stream());
    CHECK(fired == Texts{"saga-fulfil-order:3", "saga-fulfil-order:1", "saga-fulfil-order:2"});
    CHECK(world.orchestrator->run_once() == 0);
}

TEST_CASE("C4: no more timers are fired at once than the limit says") {
    OrderWorld world;
    world.script<ReserveStock>(std::deque<Response>(10, Response::lost_command));
    for (int i = 0; i < 10; ++i) world.place(std::to_string(i));
    world.settle();
    world.clock->advance(1h);
    LocalTransport transport{world.store};
    SagaOrchestrator orchestrator{world.store, transport, {.timers_max = 4}};
    orchestrator.add(world.definition);
    CHECK(orchestrator.run_once() == 4);
    CHECK(orchestrator.run_once() == 4);
    CHECK(orchestrator.run_once() == 2);
    CHECK(orchestrator.run_once() == 0);
}

TEST_CASE("C6: a clock that jumps back fires nothing again") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.clock->advance(5s);
    CHECK(world.orchestrator->run_once() == 1);
    world.clock->advance(-1h);
    CHECK(world.orchestrator->run_once() == 0);
    world.clock->advance(1h);
    CHECK(world.orchestrator->run_once() == 0);
    CHECK(world.explain().state.steps[0].forward.attempts == 2);
}

TEST_CASE("C8: a timer that is due now or long ago is fired once") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command});
    world.place("1");
    world.settle();
    world.clock->set(*world.orchestrator->next_due());
    CHECK(world.orchestrator->run_once() == 1);
    CHECK(world.orchestrator->run_once() == 0);
}

TEST_CASE("C9: the timer of an earlier generation does nothing to the next one") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command, Response::lost_command});
    world.place("1");
    world.settle();
    const TimerRow timer = TimerRow::of(world);
    world.reply_to(world.received<ReserveStock>(), StockRefused{"1"});
    world.settle();
    REQUIRE(world.status() == SagaStatus::failed);
    world.store.append("reopening-1", any_version, {OrderReopened{"1"}});
    world.settle();
    REQUIRE(world.explain().state.generation == 2);
    REQUIRE(world.status() == SagaStatus::running);
    world.clock->advance(5s);
    const Version before = world.explain().journal_version;
    timer.put_back(world);
    world.orchestrator->run_once();
    CHECK(world.explain().journal_version == before);
    // The right timer, which that row replaced, is restored by a rebuild at the latest.
    SagaIndex{world.store}.rebuild();
    CHECK(world.orchestrator->run_once() == 1);
}

TEST_CASE("C9: an answer to an earlier generation is ignored") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command, Response::lost_command});
    world.place("1");
    world.settle();
    const Message old = world.received<ReserveStock>();
    world.reply_to(old, StockRefused{"1"});
    world.settle();
    world.store.append("reopening-1", any_version, {OrderReopened{"1"}});
    world.settle();
    world.reply_to(old, StockReserved{"1"});
    world.settle();
    CHECK(world.step(1) == StepStatus::running);
    CHECK(world.explain().state.ignored == 1);
    CHECK(world.received<ReserveStock>().id != old.id);
}

TEST_CASE("C11: the deadline begins compensation when the step in flight is concluded") {
    OrderWorld world{order_saga({.timeout = 5s, .deadline = 3s})};
    world.script<HoldCredit>({Response::lost_reply});
    world.place("1");
    world.run_for(4s);
    CHECK(world.status() == SagaStatus::running);
    CHECK(world.explain().state.pending_compensation == "the deadline has passed");
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.explain().state.reason == "the deadline has passed");
    CHECK(world.times_received<HoldCredit>() == 1);
    CHECK(world.effects("1") ==
          Texts{"stock.reserve", "credit.hold", "credit.free", "stock.release"});
}

TEST_CASE("C11: the deadline of a step that could be awaited for ever gives it up at once") {
    OrderWorld world{order_saga({.timeout = {}, .deadline = 3s})};
    world.script<HoldCredit>({Response::lost_command});
    world.place("1");
    world.run_for(3s);
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.effects("1") == Texts{"stock.reserve", "credit.free", "stock.release"});
}

TEST_CASE("C11: the deadline never interrupts compensation") {
    OrderWorld world{order_saga({.timeout = 5s, .deadline = 8s})};
    world.script<Charge>({Response::failure});
    world.script<FreeCredit>({Response::lost_command, Response::lost_command});
    world.place("1");
    world.settle();
    REQUIRE(world.status() == SagaStatus::compensating);
    CHECK_FALSE(world.explain().state.deadline_at.has_value());
    world.run_for(10s);
    CHECK(world.step(2) != StepStatus::undone);
    world.reply_to(world.received<FreeCredit>(), CreditFreed{"1"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
}

TEST_CASE("C11: past the pivot the deadline only leaves a note") {
    OrderWorld world{order_saga({.timeout = 5s, .deadline = 3s})};
    world.script<Ship>({Response::busy, Response::lost_reply});
    world.place("1");
    world.run_for(4s);
    CHECK(world.status() == SagaStatus::running);
    world.reply_to(world.received<Ship>(), Shipped{"1"});
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("C12: a saga that cannot be handled does not keep the timers of others from firing") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_command, Response::lost_command});
    world.place("1");
    world.settle();
    world.clock->advance(1s);
    world.place("2");
    world.settle();
    // A journal entry that cannot be decoded: the saga cannot be loaded.
    world.store.transact([](Transaction& tx) {
        const std::vector<NewEvent> broken{NewEvent{EventType{"saga.replied", 1}, "{}"}};
        detail::append_reserved(tx, saga_stream(OrderWorld::id("1")), any_version, broken);
    });
    world.clock->advance(1h);
    CHECK(world.orchestrator->run_once() == 1);
    CHECK(world.orchestrator->last_error().find("fulfil-order/1") != std::string::npos);
    CHECK(world.explain("2").state.steps[0].forward.attempts == 2);
    CHECK(world.orchestrator->run_once() == 0);
}

TEST_CASE("a time-out or deadline for ever is none, and a very long one is kept [B10]") {
    using std::chrono::milliseconds;
    OrderWorld never{order_saga({.timeout = milliseconds::max(), .deadline = milliseconds::max()})};
    never.script<ReserveStock>({Response::lost_command});
    never.place("1");
    never.settle();
    CHECK(never.status() == SagaStatus::running);
    CHECK(never.explain().until == std::nullopt);
    CHECK(never.orchestrator->next_due() == std::nullopt);

    constexpr auto long_time = std::chrono::hours{24} * 365 * 99;
    OrderWorld late{order_saga({.timeout = long_time, .deadline = long_time})};
    late.script<ReserveStock>({Response::lost_command});
    late.place("1");
    late.settle();
    CHECK(late.status() == SagaStatus::running);
    CHECK(late.explain().until == OrderWorld::morning + long_time);
    late.clock->advance(long_time - 1s);
    CHECK(late.orchestrator->run_once() == 0);
    late.clock->advance(1s);
    CHECK(late.orchestrator->run_once() > 0);
}

TEST_CASE("a saga waits no longer for a clock that went back behind it [B10]") {
    // Armed while the clock is an hour ahead; then the clock is set right.
    const StoreLocation location;
    const auto ahead = std::make_shared<VirtualClock>(SystemClock::instance().now() + 1h);
    StoreOptions options;
    options.clock = ahead.get();
    {
        OrderWorld world{location.open(options), ahead, order_saga({.deadline = 10min})};
        world.script<ReserveStock>({Response::lost_command});
        world.place("1");
        world.settle();
    }
    EventStore store = location.open();
    SagaOrchestrator sagas{store};
    sagas.add(order_saga({.deadline = 10min}));
    CHECK(sagas.run_once() == 0);
    const SagaExplanation saga = sagas.explain(OrderWorld::id("1"));
    const Timestamp now = store.clock().now();
    CHECK(*saga.until <= now + 5s);
    CHECK(*saga.state.deadline_at <= now + 10min);
    CHECK(*saga.state.deadline_at > now + 9min);
    CHECK(*saga.since <= now);
    CHECK(*sagas.next_due() <= now + 5s);
    // Once is enough.
    CHECK(sagas.run_once() == 0);
    CHECK(sagas.explain(OrderWorld::id("1")).journal_version == saga.journal_version);
}
