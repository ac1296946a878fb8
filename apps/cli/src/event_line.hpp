#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/new_event.hpp"

// An event as one line of JSON, on its way out and on its way in:
//
//   {"stream":"order-1","version":1,"position":7,"type":"order.placed","schema_version":1,
//    "id":"…","recorded_at":"…","correlation":"…","causation":null,"metadata":null,"data":{…}}
//
// `data` and `metadata` are the very text that is stored, digit by digit. If that text has line
// breaks, blanks stand for them, and the text itself follows as a JSON string, in `data_text` or
// `metadata_text`: a payload is copied byte by byte. A line that is appended needs `type` and
// `data`; `stream`, `version`, `position` and `recorded_at` are the new store's to give, and are
// passed over.

namespace daybook::command {

/// Replaces `line` by the event.
void write_event_line(EventView event, std::string& line);

/// Replaces `line` by the event for people: position, time, stream@version, type, data.
void write_event_text(EventView event, std::string& line);

/// Events that are about to be appended, and the names that they point to.
class EventBatch {
public:
    /// Throws InvalidError unless the line is as above.
    void add_line(std::string_view line);
    /// Throws InvalidError for a type that cannot be.
    NewEvent& add(std::string_view type, int schema_version, std::string data);

    std::span<const NewEvent> events() const noexcept { return events_; }
    std::size_t size() const noexcept { return events_.size(); }

private:
    std::set<std::string, std::less<>> types_;
    std::set<EventId> ids_;
    std::vector<NewEvent> events_;
};

}  // namespace daybook::command
