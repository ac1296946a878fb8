#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/consumer.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

struct ConsumerOptions {
    /// Where its messages come from; empty: the topic that bears the consumer's name.
    std::string_view topic{};
    /// What to do with a message of a type it has no handler for: `leave` it to another program,
    /// or another build of this one, whose relay takes it (parked if none does, see RelayOptions);
    /// `ignore` is for consumers that pick a few types out of a busy topic.
    enum class Unknown { leave, ignore } unknown = Unknown::leave;
};

/// What became of the messages that were brought to the consumers of a LocalTransport.
struct LocalTransportCounts {
    std::uint64_t handled = 0;
    std::uint64_t duplicates = 0;  ///< dropped, their effect was there already
    std::uint64_t failed = 0;
    std::uint64_t rejected = 0;
    std::uint64_t unhandled = 0;  ///< left to other programs
};

/// Consumers in this process, over one store's inbox: a message's effect happens once however
/// often it is delivered. An inbox belongs to a consumer and its topic.
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
/// Thread-safe. Consumers of one topic are independent: each has its own inbox, and one that fails
/// does not keep the message from the others.
class LocalTransport final : public Transport {
public:
    explicit LocalTransport(EventStore store);
    ~LocalTransport() override;

    /// A consumer with a handler for each type of message. `name` names its inbox. Give it its
    /// handlers before the relay starts. Throws InvalidError if the topic has a consumer of that
    /// name already, or if either is empty, longer than 200 bytes or not UTF-8.
    Consumer consumer(std::string_view name, ConsumerOptions options = {});

    /// A consumer with one handler for the messages of `topic` that `takes` says yes to (all, if
    /// it is not given); it is asked about messages without their data.
    void consume(std::string_view topic, std::string_view consumer, MessageHandler handler,
                 std::function<bool(const Message&)> takes = {});

    /// One unit per consumer that has not handled it yet. A message without an id is rejected, and
    /// so is one whose id the inbox knows with another type or payload. A topic without a consumer
    /// is `unhandled`. A store that cannot be written to before the handler has its turn is `down`.
    Delivery deliver(const Message& message) override;
    bool takes(const Message& envelope) const override;

    LocalTransportCounts counts() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
