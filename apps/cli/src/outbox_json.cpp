#include "outbox_json.hpp"

namespace daybook::command {

namespace {

Json message_json(const Message& message) {
    return {{"id", message.id.to_string()},
            {"topic", message.topic},
            {"key", text_or_null(message.key)},
            {"type", message.type},
            {"schema_version", message.schema_version},
            {"attempts", message.attempt},
            {"created_at", to_iso8601(message.created_at)},
            {"due_at", to_iso8601(message.due_at)},
            {"correlation", id_or_null(message.trace.correlation)},
            {"causation", id_or_null(message.trace.causation)},
            {"reply_to", text_or_null(message.reply_to)},
            {"headers", parsed_or_null(message.headers)},
            {"data", parsed(message.data)}};
}

}  // namespace

Json outbox_json(const OutboxStatus& status) {
    return {{"unsent", status.unsent()},
            {"waiting", status.waiting},
            {"delayed", status.delayed},
            {"retrying", status.retrying},
            {"blocked", status.blocked},
            {"unhandled", status.unhandled},
            {"parked", status.parked},
            {"oldest", time_or_null(status.oldest)},
            {"newest", time_or_null(status.newest)}};
}

Json waiting_json(const WaitingMessage& waiting) {
    Json json = message_json(waiting.message);
    json["waits_for"] = to_string(waiting.waits_for);
    json["until"] = time_or_null(waiting.until);
    json["last_error"] = text_or_null(waiting.last_error);
    return json;
}

Json dead_letter_json(const DeadLetter& letter) {
    Json json = message_json(letter.message);
    json["number"] = letter.number;
    json["reason"] = to_string(letter.reason);
    json["error"] = text_or_null(letter.error);
    json["receiver"] = text_or_null(letter.receiver);
    json["parked_by"] = text_or_null(letter.parked_by);
    json["parked_at"] = to_iso8601(letter.parked_at);
    json["holds"] = letter.holds;
    return json;
}

}  // namespace daybook::command
