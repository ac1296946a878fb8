#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/messaging/messaging.hpp"
#include "daybook/sagas/sagas.hpp"
#include "order_messages.hpp"
#include "shop.hpp"

namespace daybook::test {

struct OrderSagaOptions {
    int version = 1;
    bool undo_answered = true;
    std::optional<std::chrono::milliseconds> timeout{std::chrono::seconds{5}};
    std::optional<std::chrono::milliseconds> deadline{};
    int attempts = 3;
    int undo_attempts = 3;
};

/// reserve-stock (undo), hold-credit (undo), charge (pivot), ship (retriable).
SagaDefinition order_saga(OrderSagaOptions options = {});

/// A shop with its participants, a saga orchestrator and a relay, all on one store and a virtual
/// clock. `restart` is a crash: all memory is lost, the store stays.
class OrderWorld {
public:
    explicit OrderWorld(SagaDefinition definition = order_saga());
    /// On an existing store, with the clock `world_clock`.
    OrderWorld(EventStore opened, std::shared_ptr<VirtualClock> world_clock,
               SagaDefinition definition);

    static constexpr Timestamp morning{std::chrono::seconds{1'467'619'200}};
    static SagaId id(const std::string& order) { return {"fulfil-order", order}; }

    /// The participant's responses to the next commands of this type; after these it succeeds.
    template <class Command>
    void script(std::deque<Response> responses) {
        script_[std::string(Command::type.name)] = std::move(responses);
    }

    void place(const std::string& order);
    void restart();
    /// Replaces the scripts by a function.
    void set_responder(Responder responder) { responder_ = std::move(responder); }
    /// Wraps the relay's transport, from the next restart on.
    using Wrapper = std::function<std::unique_ptr<Transport>(Transport&)>;
    void set_wrapper(Wrapper wrapper) { wrapper_ = std::move(wrapper); }
    /// Runs orchestrator and relay until nothing is left to do at this instant.
    void settle();
    /// The same, and moves the clock on from timer to timer, for at most so long.
    void run_for(std::chrono::milliseconds time);
    void run_to_the_end() { run_for(std::chrono::hours{24}); }

    /// Replies to a command that the participant did not reply to.
    template <class Reply>
    void reply_to(const Message& command, const Reply& event) {
        store.transact([&](Transaction& tx) { reply(tx, command, event); });
    }
    /// The last command of a type that reached its participant.
    template <class Command>
    const Message& received() const {
        return received_.at(std::string(Command::type.name)).back();
    }
    /// How many commands of a type reached it; a repeated delivery is not counted.
    template <class Command>
    std::size_t times_received() const {
        const auto found = received_.find(std::string(Command::type.name));
        return found == received_.end() ? 0 : found->second.size();
    }

    /// The effects for an order, in sequence: `stock.reserve`, `payment.charge`, …
    std::vector<std::string> effects(const std::string& order) const;
    /// The ends that the saga published: `completed`, …
    std::vector<std::string> ends(const std::string& order) const;
    SagaExplanation explain(const std::string& order = "1") const {
        return SagaIndex{store}.explain(id(order));
    }
    SagaStatus status(const std::string& order = "1") const { return explain(order).state.status; }
    StepStatus step(std::size_t number, const std::string& order = "1") const {
        return explain(order).state.steps.at(number - 1).status;
    }
    std::vector<std::string> history(const std::string& order = "1") const;
    std::int64_t count(const std::string& table) const;

    std::shared_ptr<VirtualClock> clock;
    EventStore store;
    SagaDefinition definition;
    std::unique_ptr<LocalTransport> transport;
    std::unique_ptr<SagaOrchestrator> orchestrator;
    std::unique_ptr<Relay> relay;

private:
    void open();
    Response respond(const Message& command, const std::string& order);

    Responder responder_;
    Wrapper wrapper_;
    std::unique_ptr<Transport> wrapped_;
    std::map<std::string, std::deque<Response>> script_;
    std::map<std::string, std::vector<Message>> received_;
    std::map<EventId, Response>
        responses_;  // a command that is delivered again has the same response
};

}  // namespace daybook::test
