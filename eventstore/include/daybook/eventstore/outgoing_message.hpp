#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// How a message is to travel: `tx.publish("warehouse", ReserveStock{…}, {.key = "order-7"})`.
struct PublishOptions {
    /// Messages of one key to one topic are delivered in the order of their commits; empty: no
    /// order asked.
    std::string key{};
    /// Given, it is the idempotency key: the receiver's inbox drops what it has handled before.
    std::optional<EventId> id{};
    /// Not to be delivered before; nothing: at once.
    std::optional<Timestamp> due_at{};
    /// The topic that answers go to; empty: none are wanted.
    std::string reply_to{};
    /// A JSON object of the sender's own, handed to the receiver as it is; or empty.
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
