#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// How a message is delivered: `tx.publish("warehouse", ReserveStock{…}, {.key = "order-7"})`.
struct PublishOptions {
    /// Messages of one key to one topic are delivered in the order of their commits. Without a key
    /// they may be delivered in any order.
    std::string key{};
    /// The idempotency key: the receiver's inbox drops a message with an id that it has handled.
    std::optional<EventId> id{};
    /// The message is not delivered before this instant.
    std::optional<Timestamp> due_at{};
    /// The topic for replies; empty if no reply is expected.
    std::string reply_to{};
    /// A JSON object of the sender, passed to the receiver as it is; or empty.
    std::string headers{};
};

/// A message as it is put into the outbox.
struct OutgoingMessage {
    std::string_view topic;
    EventType type;
    std::string data;  ///< JSON
    PublishOptions options;
};

}  // namespace daybook
