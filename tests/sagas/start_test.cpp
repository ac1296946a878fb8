#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>

#include "child_process.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/store_access.hpp"
#include "order_world.hpp"
#include "store_location.hpp"

// Starts that fail: each stops only itself, and an operator can find it.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

// Makes every transaction fail that appends to the journal of this order.
std::shared_ptr<void> refuse(OrderWorld& world, const std::string& order) {
    const StreamName journal = saga_stream(OrderWorld::id(order));
    return world.store.add_commit_hook([journal](Transaction& tx) {
        if (tx.version(journal) > Version{0}) throw std::runtime_error{"not that one: \xFF\xFE"};
    });
}

struct Large {
    std::string key{};
    std::string padding{};
    static constexpr auto fields() {
        return daybook::fields("key", &Large::key, "padding", &Large::padding);
    }
};

SagaDefinition large_saga() {
    return saga<Large>("large", 1)
        .starts_on<OrderPlaced>([](const OrderPlaced& e) {
            return Large{e.order, std::string(e.order == "2" ? 300'000 : 0, 'x')};
        })
        .step("one")
        .send("stock", [](const Large& data) { return ReserveStock{data.key}; })
        .on<StockReserved>()
        .read_only()
        .build();
}

SagaDefinition deadly_saga(const char* order) {
    return saga<OrderSaga>("deadly", 1)
        .starts_on<OrderPlaced>([order](const OrderPlaced& e) {
            if (e.order == order) ::raise(SIGKILL);
            return OrderSaga{e.order};
        })
        .step("one")
        .send("stock", [](const OrderSaga& data) { return ReserveStock{data.order}; })
        .on<StockReserved>()
        .read_only()
        .build();
}

}  // namespace

TEST_CASE("a start that cannot be stored at all keeps no other from starting and stays seen [B8]") {
    OrderWorld world;
    auto refusal = refuse(world, "2");
    for (const char* order : {"1", "2", "3"}) world.place(order);
    // The error may be temporary: no incident at the first failure.
    CHECK_THROWS_AS(world.settle(), std::runtime_error);
    CHECK_THROWS_AS(world.settle(), std::runtime_error);
    CHECK(SagaIndex{world.store}.failed_starts().empty());
    world.settle();
    world.place("4");
    world.settle();
    for (const char* order : {"1", "3", "4"}) CHECK(world.status(order) == SagaStatus::completed);
    const SagaIndex index{world.store};
    CHECK(index.count() == 3);
    const auto failed = index.failed_starts();
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].definition == "fulfil-order");
    CHECK(failed[0].error == "not that one: \uFFFD\uFFFD");
    CHECK(world.orchestrator->last_error().find("not that one") != std::string::npos);

    auto& sagas = *world.orchestrator;
    const Position event = failed[0].event;
    CHECK_THROWS_AS(sagas.retry_start("fulfil-order", event, {}), InvalidError);
    CHECK_THROWS_AS(sagas.retry_start("nobody", event, {.actor = "ada"}), UnavailableError);
    CHECK_THROWS_AS(sagas.retry_start("fulfil-order", event, {.actor = "ada"}), std::runtime_error);
    CHECK(index.failed_starts().size() == 1);
    SUBCASE("an operator starts it again") {
        refusal.reset();
        sagas.retry_start("fulfil-order", event, {.actor = "ada"});
        world.settle();
        CHECK(world.status("2") == SagaStatus::completed);
    }
    SUBCASE("an operator gives it up") {
        sagas.skip_start("fulfil-order", event, {.actor = "ada", .reason = "a test"});
        world.settle();
        CHECK(index.count() == 3);
    }
    CHECK(index.failed_starts().empty());
    CHECK_THROWS_AS(sagas.skip_start("fulfil-order", event, {.actor = "ada"}), NotFoundError);
}

TEST_CASE("a saga's data over the limit of the store's payloads holds this saga only [B8]") {
    StoreOptions options;
    options.payload_bytes_max = 100'000;
    EventStore store = new_store(options);
    SagaOrchestrator sagas{store};
    sagas.add(large_saga());
    for (const char* order : {"1", "2", "3"})
        store.append(std::string("order-") + order, any_version, {OrderPlaced{order}});
    CHECK(sagas.run_once() == 3);
    const SagaIndex index{store};
    CHECK(index.list({.status = SagaStatus::running}).size() == 2);
    CHECK(index.explain({"large", "2"}).state.error.find("limit of 100000") != std::string::npos);
}

TEST_CASE("data of a saga that is not JSON holds this saga only [B8]") {
    OrderWorld world;
    const auto broken =
        saga<OrderSaga>("broken", 1)
            .starts_on<OrderPlaced>([](const OrderPlaced& e) { return OrderSaga{e.order}; })
            .step("one")
            .send("nobody",
                  [](const OrderSaga& data) -> ReserveStock {
                      if (data.order == "2") throw 42;
                      return {data.order};
                  })
            .on<StockReserved>()
            .read_only()
            .build();
    SagaOrchestrator sagas{world.store};
    sagas.add(broken);
    world.place("1");
    world.place("2");
    CHECK(sagas.run_once() == 2);
    CHECK(sagas.explain({"broken", "1"}).state.status == SagaStatus::running);
    CHECK(sagas.explain({"broken", "2"}).state.error.find("no exception") != std::string::npos);
}

TEST_CASE("a start that kills its process is held in the end and its neighbours live [E11]") {
    const StoreLocation location;
    {
        EventStore store = location.open();
        for (const char* order : {"1", "2", "3"})
            store.append(std::string("order-") + order, any_version, {OrderPlaced{order}});
    }
    int deaths = 0;
    for (int life = 0; life < 10; ++life) {
        ChildProcess child([&](const ChildProcess::Report&) {
            EventStore store = location.open();
            SagaOrchestrator sagas{store};
            sagas.add(deadly_saga("2"));
            // The process that died held the recovery lease for a second.
            while (SagaIndex{store}.count() < 3) {
                sagas.run_once();
                std::this_thread::sleep_for(20ms);
            }
        });
        if (child.wait() == 0) break;
        ++deaths;
    }
    // The first crash is not counted: attempts are counted only after a crash.
    CHECK(deaths == 4);
    EventStore store = location.open();
    const SagaIndex index{store};
    CHECK(index.explain({"deadly", "1"}).state.status == SagaStatus::running);
    CHECK(index.explain({"deadly", "3"}).state.status == SagaStatus::running);
    const auto held = index.explain({"deadly", "2"});
    CHECK(held.state.cause == IncidentCause::start);
    CHECK(held.state.error.find("the process died") != std::string::npos);
}

TEST_CASE("a start that another process is at is due, so that no clock is moved past it [E11]") {
    const StoreLocation location;
    VirtualClock clock{Timestamp{1h}};
    EventStore store = location.open({.clock = &clock});
    store.append("order-1", any_version, {OrderPlaced{"1"}});
    ChildProcess dies([&](const ChildProcess::Report&) {
        SagaOrchestrator sagas{location.open()};
        sagas.add(deadly_saga("1"));
        sagas.run_once();
    });
    CHECK(dies.wait() != 0);

    Leases leases{store};
    const auto lease = leases.try_acquire("saga-starts/deadly", "another process", 1min);
    REQUIRE(lease);
    SagaOrchestrator sagas{store};
    sagas.add(deadly_saga("none"));
    CHECK(sagas.run_once() == 0);
    CHECK(sagas.next_due() == clock.now());
    leases.release(*lease);
    CHECK(sagas.run_once() == 1);
    CHECK(sagas.next_due() == std::nullopt);
}

TEST_CASE("a timer that kills its process is held in the end and its neighbours fire [E11]") {
    const StoreLocation location;
    // The first command is sent; for one of the orders, sending it again kills the process.
    const auto definition = [](bool deadly) {
        return saga<OrderSaga>("deadly", 1)
            .starts_on<OrderPlaced>([](const OrderPlaced& e) { return OrderSaga{e.order}; })
            .step("one")
            .send("stock",
                  [deadly](const OrderSaga& data) {
                      if (deadly && data.order == "2") ::raise(SIGKILL);
                      return ReserveStock{data.order};
                  })
            .on<StockReserved>()
            .timeout(1ms)
            .retry(every(1ms).attempts(1'000'000))
            .read_only()
            .build();
    };
    {
        EventStore store = location.open();
        for (const char* order : {"1", "2", "3"})
            store.append(std::string("order-") + order, any_version, {OrderPlaced{order}});
        SagaOrchestrator sagas{store};
        sagas.add(definition(false));
        CHECK(sagas.run_once() >= 3);
    }
    int deaths = 0;
    for (int life = 0; life < 10; ++life) {
        ChildProcess child([&](const ChildProcess::Report&) {
            EventStore store = location.open();
            SagaOrchestrator sagas{store};
            sagas.add(definition(true));
            while (SagaIndex{store}.count({.status = SagaStatus::incident}) == 0) {
                sagas.run_once();
                std::this_thread::sleep_for(20ms);
            }
        });
        if (child.wait() == 0) break;
        ++deaths;
    }
    CHECK(deaths == 4);
    EventStore store = location.open();
    const SagaIndex index{store};
    CHECK(index.explain({"deadly", "2"}).state.error.find("the process died") != std::string::npos);
    for (const char* order : {"1", "3"}) {
        CHECK(index.explain({"deadly", order}).state.status == SagaStatus::running);
        CHECK(index.explain({"deadly", order}).state.steps[0].forward.attempts > 1);
    }
}

TEST_CASE("processes that start at the same time hold no saga's start as deadly [E11]") {
    const StoreLocation location;
    EventStore store = location.open();
    std::vector<std::unique_ptr<SagaOrchestrator>> many;
    for (int i = 0; i < 6; ++i) {
        many.push_back(std::make_unique<SagaOrchestrator>(location.open()));
        many.back()->add(order_saga());
    }
    store.append("order-1", any_version, {OrderPlaced{"1"}});
    {
        std::vector<std::jthread> threads;
        threads.reserve(many.size());
        for (auto& sagas : many) threads.emplace_back([&sagas] { sagas->run_once(); });
    }
    while (SagaIndex{store}.count() == 0) many.front()->run_once();
    CHECK(SagaIndex{store}.explain({"fulfil-order", "1"}).state.status == SagaStatus::running);
}

TEST_CASE("a search for starts beyond the end of the log is reported [E22]") {
    OrderWorld world;
    world.place("1");
    world.settle();
    world.store.transact([](Transaction& tx) {
        detail::store_sql(tx).exec("UPDATE daybook_saga_start SET position = 1000000");
    });
    world.restart();
    world.place("2");
    world.settle();
    CHECK(world.orchestrator->last_error().find("the log ends at position") != std::string::npos);
}
