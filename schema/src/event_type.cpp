#include "daybook/schema/event_type.hpp"

#include <string>

#include "daybook/core/error.hpp"

namespace daybook {

EventType EventType::checked(std::string_view name, int version) {
    if (is_valid(name, version)) return EventType{name, version, Unchecked{}};
    std::string shown;
    for (const char c : name.substr(0, name_bytes_max)) shown += c >= 0x20 && c < 0x7F ? c : '?';
    throw InvalidError(
        "event type '" + shown + "' version " + std::to_string(version) +
        ": give a name of 1 to 100 letters, digits and . - _ : and a version from 1");
}

}  // namespace daybook
