#pragma once

#include "daybook/eventstore/sql.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// The columns every statement that shows messages begins with.
inline constexpr int message_columns = 13;

/// id, topic, key, type, schema_version, data, headers, reply_to, correlation, causation,
/// created_at, due_at, attempts (which becomes `attempt`).
Message read_message(const SqlRow& row);

}  // namespace daybook::detail
