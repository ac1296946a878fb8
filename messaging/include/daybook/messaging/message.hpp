#pragma once

#include <string>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// A message, as the relay passes it to a transport and the transport to a consumer.
struct Message {
    EventId id;
    std::string topic;
    std::string key;
    std::string type;  ///< the name of its struct's EventType
    int schema_version = 1;
    std::string data;     ///< JSON
    std::string headers;  ///< a JSON object, or empty
    std::string reply_to;
    Trace trace;
    Timestamp created_at{};
    Timestamp due_at{};
    int attempt = 1;  ///< the number of this delivery, from 1

    /// The trace for events and messages that this message causes.
    Trace follow_up() const noexcept {
        return {trace.correlation.is_nil() ? id : trace.correlation, id};
    }
    /// True if its type is `M`, in exactly this version.
    template <Event M>
    bool is() const noexcept {
        return type == M::type.name && schema_version == M::type.version;
    }
    /// Decodes. Throws InvalidError unless `is<M>()`, CorruptError if the data does not match.
    template <Event M>
    M as() const {
        expect(M::type);
        M decoded{};
        Codec<M>::decode(data, decoded);
        return decoded;
    }

private:
    void expect(const EventType& expected) const;
};

}  // namespace daybook
