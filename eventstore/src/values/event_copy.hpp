#pragma once

#include <string>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/new_event.hpp"

namespace daybook::detail {

/// A recorded event to be stored once more as it was, with its id and its trace as it stands. The
/// name of its type is the event's own: it must outlive the copy.
inline NewEvent copy_of(EventView event) {
    NewEvent copy{EventType::checked(event.type(), event.schema_version()),
                  std::string(event.data())};
    copy.id = event.id();
    copy.metadata = event.metadata();
    copy.trace = {event.row().correlation, event.row().causation};
    return copy;
}

}  // namespace daybook::detail
