#include "daybook/eventstore/sql.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"

namespace daybook {

EventId SqlRow::id(int column) const {
    const SqlValue::Bytes stored = bytes(column);
    if (stored.size() != EventId::size) {
        throw CorruptError("column '" + std::string(column_name(column)) + "' holds " +
                           std::to_string(stored.size()) +
                           " bytes where an id of 16 belongs: restore the store from a backup");
    }
    EventId::Bytes bytes{};
    std::ranges::copy(stored, bytes.begin());
    return EventId{bytes};
}

std::string quoted_name(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        text += c;
        if (c == '"') text += c;
    }
    return text + '"';
}

}  // namespace daybook
