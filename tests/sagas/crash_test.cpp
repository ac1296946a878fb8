#include <stdexcept>

#include <doctest/doctest.h>

#include "order_world.hpp"

// A. The orchestrator dies at a commit, or between two.

using namespace daybook;
using namespace daybook::test;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

const Texts forward{"stock.reserve", "credit.hold", "payment.charge", "shipment.ship"};
const Texts there_and_back{"stock.reserve", "credit.hold", "credit.free", "stock.release"};

/// Makes the n-th transaction that writes an event of this type fail just before it commits.
class CrashBefore {
public:
    CrashBefore(EventStore& store, std::string type, int countdown = 1)
        : type_(std::move(type)),
          left_(countdown),
          hook_(store.add_commit_hook([this](Transaction& tx) {
              for (const EventView event :
                   tx.read_all({.limit = 1, .direction = Direction::backward}))
                  if (left_ > 0 && event.type() == type_ && --left_ == 0)
                      throw std::runtime_error{"power cut"};
          })) {}
    bool happened() const { return left_ == 0; }

private:
    std::string type_;
    int left_;
    std::shared_ptr<void> hook_;
};

/// Delivers, and kills the sender before it records that.
class AmnesicTransport final : public Transport {
public:
    AmnesicTransport(Transport& inner, int crashes) : inner_(inner), crashes_(crashes) {}
    Delivery deliver(const Message& message) override {
        Delivery delivery = inner_.deliver(message);
        delivered.push_back(message.id);
        if (crashes_-- > 0) throw std::runtime_error{"power cut"};
        return delivery;
    }
    std::vector<EventId> delivered;

private:
    Transport& inner_;
    int crashes_;
};

}  // namespace

TEST_CASE("A1: a crash before the start commit leaves nothing and the retry creates exactly one") {
    OrderWorld world;
    world.place("1");
    {
        const CrashBefore crash{world.store, "saga.started"};
        CHECK_THROWS_AS(world.orchestrator->run_once(), std::runtime_error);
        CHECK(crash.happened());
    }
    CHECK(world.count("saga") == 0);
    CHECK(world.count("saga_timer") == 0);
    CHECK(world.count("outbox") == 0);
    CHECK(world.store.version(saga_stream(OrderWorld::id("1"))) == Version{0});

    world.restart();
    CHECK(world.orchestrator->run_once() == 1);
    CHECK(world.orchestrator->run_once() == 0);
    CHECK(world.count("saga") == 1);
    CHECK(world.count("outbox") == 1);
}

TEST_CASE("A2: a saga whose orchestrator died after the start goes on without new traffic") {
    OrderWorld world;
    world.place("1");
    world.orchestrator->run_once();
    CHECK(world.times_received<ReserveStock>() == 0);
    world.restart();
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.effects("1") == forward);
}

TEST_CASE("A2: an order placed while no orchestrator ran is picked up at start-up") {
    OrderWorld world;
    world.place("1");
    world.restart();
    world.settle();
    CHECK(world.status() == SagaStatus::completed);
}

TEST_CASE("A3: what was in the outbox when the process died is sent later with the same id") {
    OrderWorld world;
    world.place("1");
    world.orchestrator->run_once();
    const auto waiting = outbox_list(world.store);
    REQUIRE(waiting.size() == 1);
    world.restart();
    world.settle();
    CHECK(world.times_received<ReserveStock>() == 1);
    CHECK(world.received<ReserveStock>().id == waiting[0].message.id);
}

TEST_CASE("A4: a command published again after a crash has the same id and is dropped") {
    OrderWorld world;
    world.place("1");
    world.orchestrator->run_once();
    AmnesicTransport amnesic{*world.transport, 1};
    {
        Relay relay{world.store, amnesic, {.name = "world"}};
        try {
            relay.run_once();
        } catch (const std::exception&) {
            // A power cut would happen here.
        }
    }
    REQUIRE(amnesic.delivered.size() == 1);
    world.restart();
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.times_received<ReserveStock>() == 1);
    CHECK(world.effects("1") == forward);
}

TEST_CASE("A5: a step sent again because its answer was lost has its effect once") {
    OrderWorld world;
    world.script<ReserveStock>({Response::lost_reply});
    world.place("1");
    world.settle();
    CHECK(world.step(1) == StepStatus::running);
    const EventId first = world.received<ReserveStock>().id;

    world.restart();
    world.run_for(5s);
    CHECK(world.explain().state.steps[0].forward.attempts == 2);
    // The inbox drops the repeated delivery; it would have had the same key.
    CHECK(world.times_received<ReserveStock>() == 1);
    CHECK(world.transport->counts().duplicates == 1);

    world.reply_to(world.received<ReserveStock>(), StockReserved{"1", "hold-1"});
    world.run_to_the_end();
    CHECK(world.received<ReserveStock>().id == first);
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.effects("1") == forward);
}

TEST_CASE("A6: a crash while a reply is applied leaves all of it or nothing") {
    OrderWorld world;
    world.place("1");
    world.orchestrator->run_once();
    world.relay->run_once();  // the command
    const Version before = world.explain().journal_version;
    {
        const CrashBefore crash{world.store, "saga.replied"};
        world.relay->run_once();  // the reply
        CHECK(crash.happened());
    }
    CHECK(world.explain().journal_version == before);
    CHECK(world.step(1) == StepStatus::running);
    CHECK(world.step(2) == StepStatus::waiting);
    CHECK(world.times_received<HoldCredit>() == 0);

    world.restart();
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::completed);
    CHECK(world.effects("1") == forward);
}

TEST_CASE("A7: a saga killed in mid-compensation resumes at the same step") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.place("1");
    while (world.times_received<FreeCredit>() == 0) {
        world.orchestrator->run_once();
        world.relay->run_once();
    }
    CHECK(world.status() == SagaStatus::compensating);
    CHECK(world.step(2) == StepStatus::undoing);
    world.restart();
    world.settle();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.effects("1") == there_and_back);
}

TEST_CASE("A8: a crash after the last undo repeats it harmlessly and ends the saga once") {
    OrderWorld world;
    world.script<Charge>({Response::failure});
    world.place("1");
    {
        const CrashBefore crash{world.store, "saga.compensated"};
        world.settle();
        CHECK(crash.happened());
    }
    CHECK(world.status() == SagaStatus::compensating);
    CHECK(world.step(1) == StepStatus::undoing);
    world.restart();
    world.run_to_the_end();
    CHECK(world.status() == SagaStatus::compensated);
    CHECK(world.effects("1") == there_and_back);
    CHECK(world.ends("1") == Texts{"compensated"});
    int ended = 0;
    for (const auto& text : world.history()) ended += text.starts_with("saga.compensated ") ? 1 : 0;
    CHECK(ended == 1);
}

TEST_CASE("A11: a function that throws after changing the data leaves no trace of it") {
    struct Picky {
        static SagaDefinition definition() {
            return saga<OrderSaga>("fulfil-order", 1)
                .starts_on<OrderPlaced>([](const OrderPlaced& e) { return OrderSaga{e.order}; })
                .step("reserve-stock")
                .send("stock", [](const OrderSaga& s) { return ReserveStock{s.order}; })
                .on<StockReserved>([](OrderSaga& s, const StockReserved&) {
                    s.hold = "half done";
                    throw std::domain_error{"on second thoughts"};
                })
                .retriable()
                .build();
        }
    };
    OrderWorld world{Picky::definition()};
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::incident);
    CHECK(world.explain().state.data.find("half done") == std::string::npos);
    CHECK(world.explain().state.error.find("on second thoughts") != std::string::npos);
}

TEST_CASE("A12: data over the limit makes the saga an incident and not a crash loop") {
    const auto definition =
        saga<OrderSaga>("fulfil-order", 1)
            .starts_on<OrderPlaced>([](const OrderPlaced& e) { return OrderSaga{e.order}; })
            .step("reserve-stock")
            .send("stock", [](const OrderSaga& s) { return ReserveStock{s.order}; })
            .on<StockReserved>(
                [](OrderSaga& s, const StockReserved&) { s.hold.assign(2 * 1024 * 1024, 'x'); })
            .retriable()
            .build();
    OrderWorld world{definition};
    world.place("1");
    world.settle();
    CHECK(world.status() == SagaStatus::incident);
    CHECK(world.explain().state.error.find("over the limit") != std::string::npos);
    CHECK(world.count("dead_letter") == 0);
}
