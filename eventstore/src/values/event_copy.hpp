#pragma once

#include <string>

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/new_event.hpp"

namespace daybook::detail {

/// A copy of a recorded event to store in another store, with the same id and trace. It borrows the
/// name of its type from the event, which must outlive it.
inline NewEvent copy_of(EventView event) {
    NewEvent copy{EventType::checked(event.type(), event.schema_version()),
                  std::string(event.data())};
    copy.id = event.id();
    copy.metadata = event.metadata();
    copy.trace = {event.row().correlation, event.row().causation};
    return copy;
}

}  // namespace daybook::detail
