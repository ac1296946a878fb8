#include "order_world.hpp"

#include <algorithm>

#include "store_location.hpp"

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
    const auto retry = exponential(200ms, 2.0, 10s).attempts(options.attempts);
    const auto undo_retry = exponential(100ms, 2.0, 10s).attempts(options.undo_attempts);
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
            .retry(exponential(200ms, 2.0, 10s).attempts(options.attempts));
    if (options.timeout) stock = std::move(stock).timeout(*options.timeout);
    auto undo = std::move(stock).undo(command_for<ReleaseStock>);
    if (!options.undo_answered) return rest_of_order_saga(std::move(undo), options);
    return rest_of_order_saga(
        std::move(undo)
            .undone_on<StockReleased>()
            .undo_fails_on<StockNotReleased>()
            .undo_retries_on<StockReleaseBusy>()
            .undo_retry(exponential(100ms, 2.0, 10s).attempts(options.undo_attempts)),
        options);
}

OrderWorld::OrderWorld(SagaDefinition saga_definition)
    : clock(std::make_shared<VirtualClock>(morning)),
      store(new_store(options_with(*clock))),
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
    open_shop(*transport, [this](const Message& command, const std::string& order) {
        return respond(command, order);
    });
    orchestrator = std::make_unique<SagaOrchestrator>(store, *transport);
    orchestrator->add(definition);
    if (wrapper_) wrapped_ = wrapper_(*transport);
    relay = std::make_unique<Relay>(store, wrapped_ ? *wrapped_ : *transport,
                                    RelayOptions{.name = "world"});
}

void OrderWorld::restart() {
    relay.reset();
    wrapped_.reset();
    orchestrator.reset();
    transport.reset();
    open();
}

Response OrderWorld::respond(const Message& command, const std::string& order) {
    if (responder_) return responder_(command, order);
    if (const auto found = responses_.find(command.id); found != responses_.end())
        return found->second;
    received_[command.type].push_back(command);
    auto& scripted = script_[command.type];
    Response response = Response::success;
    if (!scripted.empty()) {
        response = scripted.front();
        scripted.pop_front();
    }
    responses_.emplace(command.id, response);
    return response;
}

void OrderWorld::place(const std::string& order) {
    store.append("order-" + order, any_version, {OrderPlaced{order}});
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
    store.query(
        [&](Sql& sql) { rows = sql.integer("SELECT COUNT(*) FROM daybook_" + table).value_or(0); });
    return rows;
}

}  // namespace daybook::test
