#pragma once

#include "daybook/eventstore/event_view.hpp"
#include "daybook/eventstore/new_event.hpp"

namespace daybook::detail {

/// A recorded event to be stored once more as it was, with its id and its trace as it stands. The
/// name of its type is the event's own: it must outlive the copy.
NewEvent copy_of(EventView event);

}  // namespace daybook::detail
