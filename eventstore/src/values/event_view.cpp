#include "daybook/eventstore/event_view.hpp"

#include "daybook/core/error.hpp"

namespace daybook {

void EventView::expect(const EventType& wanted) const {
    if (type() == wanted.name && schema_version() == wanted.version) return;
    const auto described = [](std::string_view name, int version) {
        return "'" + std::string(name) + "' version " + std::to_string(version);
    };
    throw InvalidError("event " + id().to_string() + " at position " +
                       std::to_string(position().value()) + " is " +
                       described(type(), schema_version()) + ", asked for as " +
                       described(wanted.name, wanted.version) +
                       ": ask for what it is, or add an upcaster to the store's catalog");
}

RecordedEvent::RecordedEvent(EventView event) : type_(*event.row().type), row_(event.row()) {
    text_.reserve(row_.stream.size() + row_.data.size() + row_.metadata.size());
    text_.append(row_.stream).append(row_.data).append(row_.metadata);
    point_at_own();
}

RecordedEvent& RecordedEvent::operator=(const RecordedEvent& other) {
    type_ = other.type_;
    text_ = other.text_;
    row_ = other.row_;
    point_at_own();
    return *this;
}

void RecordedEvent::point_at_own() noexcept {
    const char* const text = text_.data();
    row_.type = &type_;
    row_.stream = {text, row_.stream.size()};
    row_.data = {text + row_.stream.size(), row_.data.size()};
    row_.metadata = {row_.data.data() + row_.data.size(), row_.metadata.size()};
}

}  // namespace daybook
