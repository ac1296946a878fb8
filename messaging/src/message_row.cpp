#include "message_row.hpp"

namespace daybook::detail {

Message read_message(const SqlRow& row) {
    Message message;
    message.id = row.id(0);
    message.topic = row.text(1);
    message.key = row.text(2);
    message.type = row.text(3);
    message.schema_version = static_cast<int>(row.integer(4));
    message.data = row.text(5);
    message.headers = row.text(6);
    message.reply_to = row.text(7);
    if (!row.is_null(8)) message.trace.correlation = row.id(8);
    if (!row.is_null(9)) message.trace.causation = row.id(9);
    message.created_at = row.timestamp(10);
    message.due_at = row.timestamp(11);
    message.attempt = static_cast<int>(row.integer(12));
    return message;
}

}  // namespace daybook::detail
