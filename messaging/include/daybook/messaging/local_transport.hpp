#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

/// What a consumer does with a message. All that it does through `tx` commits together with the
/// inbox mark; what it throws rolls everything back and counts as a failed attempt, except
/// InvalidError and CorruptError, which reject the message at once.
using MessageHandler = std::function<void(const Message&, Transaction&)>;

/// Consumers in this process, over one store's inbox: a message's effect happens once however
/// often it is delivered.
///
///     LocalTransport transport{store};
///     transport.consume("warehouse", "warehouse", [](const Message& message, Transaction& tx) {
///         reserve(message.as<ReserveStock>(), tx);
///     });
///     Relay relay{store, transport};
///     relay.start();
class LocalTransport final : public Transport {
public:
    explicit LocalTransport(EventStore store);
    ~LocalTransport() override;

    /// `consumer` names the inbox: consumers of one topic each get every message. Register before
    /// the relay starts. Throws InvalidError if this pair is registered already.
    void consume(std::string_view topic, std::string_view consumer, MessageHandler handler);

    /// One unit per consumer that has not handled it yet. A topic without a consumer is rejected.
    Delivery deliver(const Message& message) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
