#pragma once

#include "daybook/eventstore/sql.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// The number of columns that each statement selecting messages starts with.
inline constexpr int message_columns = 13;
/// The column that is NULL if the data was left out.
inline constexpr int data_column = 5;

/// id, topic, key, type, schema_version, data, headers, reply_to, correlation, causation,
/// created_at, due_at, attempts (which becomes `attempt`).
Message read_message(const SqlRow& row);

}  // namespace daybook::detail
