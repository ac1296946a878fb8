#pragma once

#include <string>
#include <string_view>

#include "daybook/core/event_id.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// What led to something: `correlation` names the whole conversation, `causation` the message or
/// event that was the direct cause. Nil ids mean "not known". They flow by themselves from a
/// message to the events its handler appends, and on to the messages those lead to.
struct Trace {
    EventId correlation;
    EventId causation;
};

/// An event that is about to be appended. Converts from any event struct:
///
///     store.append("account-1", no_stream, {Opened{"Ada"}, Deposited{100'00}});
///
/// Keep the NewEvent and append it again if you do not know whether the first time worked: its
/// `id` makes the repeat harmless.
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
    Trace trace;           ///< nil parts are filled in by the unit that appends it
};

}  // namespace daybook
