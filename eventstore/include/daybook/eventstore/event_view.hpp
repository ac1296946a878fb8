#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/schema/codec.hpp"
#include "daybook/schema/event_type.hpp"

namespace daybook {

/// An event's type, interned by an engine. It lives as long as the store that it came from.
struct TypeEntry {
    std::uint32_t number = 0;  ///< small, dense, the same for all events of this name and version
    int version = 1;
    std::string name;
};

/// An event in a page. All text points into the page.
struct EventRow {
    Position position;
    Version version;
    Timestamp recorded_at;
    EventId id;
    EventId correlation;
    EventId causation;
    const TypeEntry* type = nullptr;
    std::string_view stream;
    std::string_view data;
    std::string_view metadata;
};

/// A recorded event, read in place: cheap to copy, valid until the range it came from takes its
/// next step. Use RecordedEvent to keep one.
class EventView {
public:
    explicit EventView(const EventRow& row) noexcept : row_(&row) {}

    Position position() const noexcept { return row_->position; }
    Version version() const noexcept { return row_->version; }
    Timestamp recorded_at() const noexcept { return row_->recorded_at; }
    EventId id() const noexcept { return row_->id; }
    std::string_view stream() const noexcept { return row_->stream; }
    std::string_view category() const noexcept { return StreamName::category_of(row_->stream); }
    std::string_view type() const noexcept { return row_->type->name; }
    int schema_version() const noexcept { return row_->type->version; }
    /// The payload, as JSON text.
    std::string_view data() const noexcept { return row_->data; }
    /// A JSON object, or empty.
    std::string_view metadata() const noexcept { return row_->metadata; }

    /// The id of the conversation; the id of the event itself if it has started one.
    EventId correlation() const noexcept {
        return row_->correlation.is_nil() ? row_->id : row_->correlation;
    }
    /// The id of the message or event that led to it; nil if unknown.
    EventId causation() const noexcept { return row_->causation; }
    /// The trace for events and messages that follow from this one.
    Trace trace() const noexcept { return {correlation(), id()}; }

    template <Event E>
    bool is() const noexcept {
        return type() == E::type.name;
    }
    /// Decodes the payload. Throws InvalidError if the event is not an `E`, or one of a version
    /// that this program's `E` is not; CorruptError if the payload does not fit.
    template <Event E>
    E as() const {
        expect(E::type);
        E event{};
        Codec<E>::decode(data(), event);
        return event;
    }

    const EventRow& row() const noexcept { return *row_; }

private:
    void expect(const EventType& wanted) const;

    const EventRow* row_;
};

/// A recorded event that owns what it holds.
class RecordedEvent {
public:
    explicit RecordedEvent(EventView event);
    RecordedEvent(const RecordedEvent& other) : RecordedEvent(other.view()) {}
    RecordedEvent& operator=(const RecordedEvent& other);

    /// Valid as long as this object, until it is assigned to.
    EventView view() const noexcept { return EventView{row_}; }
    operator EventView() const noexcept { return view(); }
    EventView operator*() const noexcept { return view(); }

private:
    void point_at_own() noexcept;

    TypeEntry type_;
    std::string text_;
    EventRow row_;
};

}  // namespace daybook
