#pragma once

#include "daybook/core/event_id.hpp"
#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

/// What EventStore::identity says, as seen by `store`: a reader's or a transaction's SQL.
EventId store_identity(Sql& store);

}  // namespace daybook::detail
