#include "daybook/messaging/message.hpp"

#include "daybook/core/error.hpp"

namespace daybook {

void Message::expect(const EventType& expected) const {
    if (type == expected.name && schema_version == expected.version) return;
    throw InvalidError("message " + id.to_string() + " on topic '" + topic + "' is '" + type +
                       "' version " + std::to_string(schema_version) + ", not '" +
                       std::string(expected.name) + "' version " +
                       std::to_string(expected.version) +
                       ": ask is<M>() first, or add a handler for that type and version");
}

}  // namespace daybook
