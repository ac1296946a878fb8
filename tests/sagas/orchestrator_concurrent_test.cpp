#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "office.hpp"
#include "patience.hpp"
#include "store_location.hpp"

// E. Several orchestrators on one store, in real time. Each has a handle of its own, as a process
// would.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

bool wait_until_ended(const EventStore& store, int orders) {
    return eventually([&] { return all_ended(store, static_cast<std::size_t>(orders)); });
}

// Fails for a while, with each kind of error that a store can throw.
class FaultyClock final : public Clock {
public:
    Timestamp now() const override {
        if (is_faulty && std::this_thread::get_id() != test_thread_) {
            ++faults;
            if (faults % 2 == 0) throw UnavailableError{"the clock is away"};
            throw 7;
        }
        return SystemClock::instance().now();
    }

    mutable std::atomic<int> faults{0};
    std::atomic<bool> is_faulty{false};

private:
    std::thread::id test_thread_ = std::this_thread::get_id();
};

}  // namespace

TEST_SUITE_BEGIN("concurrent");

TEST_CASE("concurrent: E5: two orchestrators on one store never do anything twice") {
    constexpr int orders = 60;
    const StoreLocation location;
    const StoreOptions options{.durability = Durability::normal};
    Office one{location.open(options), "one", patient_order_saga(), steady_response};
    Office two{location.open(options), "two", patient_order_saga(), steady_response};
    one.start();
    two.start();
    for (int i = 1; i <= orders; ++i) {
        const std::string order = std::to_string(i);
        one.store.append("order-" + order, any_version, {OrderPlaced{order}});
    }
    CHECK(wait_until_ended(one.store, orders));
    one.stop();
    two.stop();
    CHECK(verify_orders(one.store, orders) == "");
    CHECK(one.orchestrator.last_error() == "");
    CHECK(two.orchestrator.last_error() == "");
}

TEST_CASE("concurrent: E5: two orchestrators fire one timer once") {
    const StoreLocation location;
    VirtualClock clock{OrderWorld::morning};
    const StoreOptions options{.durability = Durability::normal, .clock = &clock};
    const auto silent = [](const Message&, const std::string&) { return Response::lost_command; };
    const auto definition = order_saga({.timeout = 1h, .attempts = 50});
    Office one{location.open(options), "one", definition, silent};
    Office two{location.open(options), "two", definition, silent};
    one.store.append("order-1", any_version, {OrderPlaced{"1"}});
    one.orchestrator.run_once();
    for (int round = 2; round <= 30; ++round) {
        clock.advance(1h);
        std::size_t fired[2] = {0, 0};
        {
            const std::jthread other{[&] { fired[1] = two.orchestrator.run_once(); }};
            fired[0] = one.orchestrator.run_once();
        }
        CHECK(fired[0] + fired[1] == 1);
        const auto saga = one.orchestrator.explain({"fulfil-order", "1"});
        REQUIRE(saga.state.steps[0].forward.attempts == round);
    }
}

TEST_CASE("concurrent: B7: whatever fails below an orchestrator's thread it waits and goes on") {
    FaultyClock clock;
    const StoreLocation location;
    EventStore store = location.open({.clock = &clock});
    SagaOrchestrator sagas{store, {.sleep_max = 10ms}};
    sagas.add(order_saga());
    clock.is_faulty = true;
    sagas.start();
    CHECK(eventually([&] { return clock.faults > 4; }));
    CHECK(sagas.last_error().find("the sagas wait") != std::string::npos);
    clock.is_faulty = false;
    store.append("order-1", any_version, {OrderPlaced{"1"}});
    CHECK(eventually([&] { return SagaIndex{store}.count() == 1; }));
    sagas.stop();
}

TEST_CASE("concurrent: an orchestrator stops though nothing happens") {
    const StoreLocation location;
    Office office{location.open(), "one", patient_order_saga(), steady_response};
    office.start();
    std::this_thread::sleep_for(50ms);
}

TEST_CASE("concurrent: an order is taken up as soon as it is placed") {
    const StoreLocation location;
    Office office{location.open(), "one", patient_order_saga(), steady_response};
    office.start();
    std::this_thread::sleep_for(50ms);
    office.store.append("order-1", any_version, {OrderPlaced{"1"}});
    CHECK(wait_until_ended(office.store, 1));
}

TEST_SUITE_END();
