#include "daybook/messaging/message.hpp"

#include "daybook/core/error.hpp"

namespace daybook {

void Message::expect(const EventType& wanted) const {
    if (type == wanted.name && schema_version == wanted.version) return;
    throw InvalidError("message " + id.to_string() + " on topic '" + topic + "' is '" + type +
                       "' version " + std::to_string(schema_version) + ", not '" +
                       std::string(wanted.name) + "' version " + std::to_string(wanted.version) +
                       ": ask is<M>() first, or add a handler for that type and version");
}

}  // namespace daybook
