#pragma once

#include <string>
#include <string_view>

#include "daybook/core/event_id.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// What an event or message follows from: `correlation` is the id of the whole conversation,
/// `causation` that of the message or event that was the direct cause. Nil means unknown. They are
/// passed on by themselves from a message to the events that its handler appends, and from these to
/// the messages that follow.
struct Trace {
    EventId correlation;
    EventId causation;
};

/// An event that is about to be appended. Converts from any event struct:
///
///     store.append("account-1", no_stream, {Opened{"Ada"}, Deposited{100'00}});
///
/// If the result of an append is in doubt, append the same NewEvent again: because of its `id` it
/// is stored only once.
struct NewEvent {
    /// Encodes `event` as JSON.
    template <Event E>
    NewEvent(const E& event) : NewEvent(E::type, {}) {
        Codec<E>::encode(event, data);
    }

    /// An event whose payload is JSON text already. `event_type.name` must outlive the NewEvent.
    NewEvent(EventType event_type, std::string json)
        : id(EventId::generate()), type(event_type), data(std::move(json)) {}

    EventId id;
    EventType type;
    std::string data;      ///< JSON
    std::string metadata;  ///< a JSON object, or empty
    Trace trace;           ///< nil parts are filled in by the transaction that appends it
};

}  // namespace daybook
