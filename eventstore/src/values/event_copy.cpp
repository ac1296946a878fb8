#include "values/event_copy.hpp"

namespace daybook::detail {

NewEvent copy_of(EventView event) {
    NewEvent copy{EventType::checked(event.type(), event.schema_version()),
                  std::string(event.data())};
    copy.id = event.id();
    copy.metadata = event.metadata();
    copy.trace = {event.row().correlation, event.row().causation};
    return copy;
}

}  // namespace daybook::detail
