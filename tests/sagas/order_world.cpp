#include "order_world.hpp"

#include <algorithm>

namespace daybook::test {

using namespace std::chrono_literals;

namespace {

template <class Command>
Command command_for(const OrderSaga& saga) {
    return {saga.order, saga.hold};
}

StoreOptions options_with(const VirtualClock& clock) {
    StoreOptions options;
    options.clock = &clock;
    return options;
}

template <class Builder>
SagaDefinition rest_of_order_saga(Builder builder, const OrderSagaOptions& options) {
    const auto retry = exponential{200ms, 2.0, 10s}.attempts(options.attempts);
    const auto undo_retry = exponential{100ms, 2.0, 10s}.attempts(options.undo_attempts);
    auto credit = std::move(builder)
                      .step("hold-credit")
                      .send("credit", command_for<HoldCredit>)
                      .template on<CreditHeld>()
                      .template fails_on<CreditRefused>(
                          [](OrderSaga& s, const CreditRefused& r) { s.refusal = r.detail; })
                      .template retries_on<CreditBusy>()
                      .retry(retry);
    if (options.timeout) credit = std::move(credit).timeout(*options.timeout);
    auto charge = std::move(credit)
                      .undo(command_for<FreeCredit>)
                      .template undone_on<CreditFreed>()
                      .template undo_fails_on<CreditNotFreed>()
                      .template undo_retries_on<CreditFreeBusy>()
                      .undo_retry(undo_retry)
                      .step("charge")
                      .send("payment", command_for<Charge>)
                      .template on<Charged>()
                      .template fails_on<PaymentDeclined>()
                      .template retries_on<PaymentBusy>()
                      .retry(retry);
    if (options.timeout) charge = std::move(charge).timeout(*options.timeout);
    auto ship = std::move(charge)
                    .pivot()
                    .step("ship")
                    .send("shipping", command_for<Ship>)
                    .template on<Shipped>()
                    .template fails_on<ShipmentFailed>()
                    .template retries_on<ShipmentBusy>()
                    .retry(retry);
    if (options.timeout) ship = std::move(ship).timeout(*options.timeout);
    const auto ended = [](const char* how) {
        return [how](const OrderSaga& s) { return OrderEnded{s.order, how}; };
    };
    return std::move(ship)
        .retriable()
        .on_completed("orders", ended("completed"))
        .on_compensated("orders", ended("compensated"))
        .on_failed("orders", ended("failed"))
        .on_cancelled("orders", ended("cancelled"))
        .build();
}

}  // namespace

SagaDefinition order_saga(OrderSagaOptions options) {
    auto start =
        saga<OrderSaga>("fulfil-order", options.version)
            .starts_on<OrderPlaced>([](const OrderPlaced& e) {
                if (e.detail == "unusable") throw std::domain_error{"what an order"};
                return OrderSaga{e.order};
            })
            .starts_on<OrderReopened>([](const OrderReopened& e) { return OrderSaga{e.order}; },
                                      [](const OrderReopened& e) { return e.order; });
    if (options.deadline) start = std::move(start).deadline(*options.deadline);
    auto stock =
        std::move(start)
            .step("reserve-stock")
            .send("stock",
                  [](const OrderSaga& s) {
                      if (s.order == "unsendable") throw std::domain_error{"no such order"};
                      return ReserveStock{s.order};
                  })
            .on<StockReserved>([](OrderSaga& s, const StockReserved& r) { s.hold = r.detail; })
            .fails_on<StockRefused>()
            .retries_on<StockBusy>()
            .retry(exponential{200ms, 2.0, 10s}.attempts(options.attempts));
    if (options.timeout) stock = std::move(stock).timeout(*options.timeout);
    auto undo = std::move(stock).undo(command_for<ReleaseStock>);
    if (!options.undo_answered) return rest_of_order_saga(std::move(undo), options);
    return rest_of_order_saga(
        std::move(undo)
            .undone_on<StockReleased>()
            .undo_fails_on<StockNotReleased>()
            .undo_retries_on<StockReleaseBusy>()
            .undo_retry(exponential{100ms, 2.0, 10s}.attempts(options.undo_attempts)),
        options);
}

OrderWorld::OrderWorld(SagaDefinition saga_definition)
    : clock(std::make_shared<VirtualClock>(morning)),
      store(EventStore::open(":memory:", options_with(*clock))),
      definition(std::move(saga_definition)) {
    open();
}

OrderWorld::OrderWorld(EventStore opened, std::shared_ptr<VirtualClock> world_clock,
                       SagaDefinition saga_definition)
    : clock(std::move(world_clock)),
      store(std::move(opened)),
      definition(std::move(saga_definition)) {
    open();
}

void OrderWorld::open() {
    transport = std::make_unique<LocalTransport>(store);
    Consumer stock = transport->consumer("stock");
    participate<ReserveStock, StockReserved, StockRefused, StockBusy>(stock);
    participate<ReleaseStock, StockReleased, StockNotReleased, StockReleaseBusy>(stock);
    Consumer credit = transport->consumer("credit");
    participate<HoldCredit, CreditHeld, CreditRefused, CreditBusy>(credit);
    participate<FreeCredit, CreditFreed, CreditNotFreed, CreditFreeBusy>(credit);
    participate<Charge, Charged, PaymentDeclined, PaymentBusy>(transport->consumer("payment"));
    participate<Ship, Shipped, ShipmentFailed, ShipmentBusy>(transport->consumer("shipping"));
    transport->consumer("orders").on<OrderEnded>([](const OrderEnded& end, Transaction& tx) {
        tx.append("ends-" + end.order, any, {Effect{end.order, end.detail}});
    });
    orchestrator = std::make_unique<SagaOrchestrator>(store, *transport);
    orchestrator->add(definition);
    relay = std::make_unique<Relay>(store, *transport, RelayOptions{.name = "world"});
}

void OrderWorld::restart() {
    relay.reset();
    orchestrator.reset();
    transport.reset();
    open();
}

Does OrderWorld::next(const std::string& command) {
    auto& behaviour = script_[command];
    if (behaviour.empty()) return Does::succeed;
    const Does now = behaviour.front();
    behaviour.pop_front();
    return now;
}

template <class Command, class Success, class Failure, class Busy>
void OrderWorld::participate(Consumer consumer) {
    consumer.on<Command>([this](const Command& command, const Message& message, Transaction& tx) {
        const std::string name{Command::type.name};
        received_[name].push_back(message);
        const Does does = next(name);
        if (does == Does::succeed || does == Does::hide || does == Does::mumble)
            tx.append("effects-" + command.order, any, {Effect{command.order, name}});
        if (does == Does::succeed) reply(tx, message, Success{command.order, "for " + name});
        if (does == Does::fail) reply(tx, message, Failure{command.order, "no"});
        if (does == Does::be_busy) reply(tx, message, Busy{command.order, "later"});
        if (does == Does::mumble) {
            PublishOptions options;
            options.key = message.key;
            options.headers = message.headers;
            tx.publish({message.reply_to, Success::type, "{\"order\":17}", options});
        }
    });
}

void OrderWorld::place(const std::string& order) {
    store.append("order-" + order, any, {OrderPlaced{order}});
}

void OrderWorld::settle() {
    while (orchestrator->run_once() + relay->run_once() > 0) {}
}

void OrderWorld::run_for(std::chrono::milliseconds time) {
    const Timestamp end = clock->now() + time;
    for (;;) {
        settle();
        std::optional<Timestamp> next = orchestrator->next_due();
        if (const auto due = relay->next_due(); due && (!next || *due < *next)) next = due;
        if (!next || *next > end) return clock->set(end);
        clock->set(std::max(*next, clock->now()));
    }
}

std::vector<std::string> OrderWorld::effects(const std::string& order) const {
    std::vector<std::string> effects;
    for (const EventView event : store.read("effects-" + order))
        effects.push_back(event.as<Effect>().detail);
    return effects;
}

std::vector<std::string> OrderWorld::ends(const std::string& order) const {
    std::vector<std::string> ends;
    for (const EventView event : store.read("ends-" + order))
        ends.push_back(event.as<Effect>().detail);
    return ends;
}

std::vector<std::string> OrderWorld::history(const std::string& order) const {
    std::vector<std::string> texts;
    for (const auto& entry : SagaIndex{store}.history(id(order)))
        texts.push_back(entry.type + " " + entry.text);
    return texts;
}

std::int64_t OrderWorld::count(const std::string& table) const {
    std::int64_t rows = 0;
    store.query([&](Sql& sql) { rows = sql.integer("SELECT COUNT(*) FROM " + table).value_or(0); });
    return rows;
}

}  // namespace daybook::test
