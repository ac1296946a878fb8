#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/consumer.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

/// What a consumer of a LocalTransport receives.
struct ConsumerOptions {
    /// The topic that it consumes; empty: the topic with the consumer's name.
    std::string_view topic{};
    /// What to do with a message of a type without a handler: `leave` it to the relay of another
    /// program, or of another build of this one (it is parked if none takes it, see RelayOptions),
    /// or `ignore` it, for consumers that need only a few types of a busy topic.
    enum class Unknown { leave, ignore } unknown = Unknown::leave;
};

/// Counts deliveries to the consumers of a LocalTransport, by outcome.
struct LocalTransportCounts {
    std::uint64_t handled = 0;
    std::uint64_t duplicates = 0;  ///< dropped, as they were handled before
    std::uint64_t failed = 0;
    std::uint64_t rejected = 0;
    std::uint64_t unhandled = 0;  ///< left to other programs
};

/// Delivers to consumers in this process. The inbox of the store records which messages a consumer
/// has handled, so that a message takes effect once even if it is delivered repeatedly. There is
/// one inbox per consumer and topic.
///
///     LocalTransport transport{store};
///     transport.consumer("warehouse")
///         .on<ReserveStock>([](const ReserveStock& command, const Message&, Transaction& tx) {
///             tx.append(…);
///         })
///         .on<ReleaseStock>(…);
///     Relay relay{store, transport};
///     relay.start();
///
/// Thread-safe. Consumers of one topic are independent: each has its own inbox, and if one fails,
/// the others still receive the message.
class LocalTransport final : public Transport {
public:
    explicit LocalTransport(EventStore store);
    ~LocalTransport() override;

    /// A consumer with a handler for each type of message. `name` is also the name of its inbox.
    /// Add its handlers before the relay starts. Throws InvalidError if the topic already has a
    /// consumer of that name, or if either is empty, longer than 200 bytes or not UTF-8.
    Consumer consumer(std::string_view name, ConsumerOptions options = {});

    /// A consumer with one handler for those messages of `topic` for which `takes` returns true
    /// (all, if it is empty); `takes` is called with messages without their data.
    void consume(std::string_view topic, std::string_view consumer, MessageHandler handler,
                 std::function<bool(const Message&)> takes = {});

    /// One transaction per consumer that has not handled the message yet. Rejects a message without
    /// an id, and one whose id is in the inbox with another type or payload. A topic without a
    /// consumer is `unhandled`. `down` means that the store failed before the handler was called.
    Delivery deliver(const Message& message) override;
    bool takes(const Message& envelope) const override;

    LocalTransportCounts counts() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
