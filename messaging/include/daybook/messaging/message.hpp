#pragma once

#include <string>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// A message on its way, as the relay hands it to a transport and a consumer sees it.
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
    int attempt = 1;  ///< this delivery's number, from 1

    /// What the events and messages that follow from this one carry.
    Trace follow_up() const noexcept {
        return {trace.correlation.is_nil() ? id : trace.correlation, id};
    }
    /// It is an `M`, of this version of the struct and no other.
    template <Event M>
    bool is() const noexcept {
        return type == M::type.name && schema_version == M::type.version;
    }
    /// Throws InvalidError if it is not an `M`, CorruptError if its data does not fit.
    template <Event M>
    M as() const {
        expect(M::type);
        M decoded{};
        Codec<M>::decode(data, decoded);
        return decoded;
    }

private:
    void expect(const EventType& wanted) const;
};

}  // namespace daybook
