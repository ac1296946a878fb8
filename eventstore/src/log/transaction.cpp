#include "daybook/eventstore/transaction.hpp"

#include <algorithm>
#include <chrono>

#include "daybook/core/clean_text.hpp"
#include "daybook/core/conflict_error.hpp"
#include "daybook/core/error.hpp"
#include "daybook/eventstore/message_tables.hpp"
#include "daybook/schema/is_json.hpp"
#include "log/store_core.hpp"

namespace daybook {

namespace {

constexpr std::size_t topic_bytes_max = 200;
constexpr std::size_t headers_bytes_max = 64 * 1024;
/// A topic, a separator and a consumer's name.
constexpr std::size_t consumer_bytes_max = 2 * topic_bytes_max + 1;
/// The latest time that the usual text formats and the store's own time markers can express.
constexpr Timestamp due_max{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}};

void check(const OutgoingMessage& message, std::size_t payload_bytes_max) {
    const PublishOptions& options = message.options;
    const auto refuse = [&](const std::string& why) {
        throw InvalidError("message '" + clean_text(message.type.name, topic_bytes_max) +
                           "' to topic '" + clean_text(message.topic, topic_bytes_max) +
                           "': " + why);
    };
    const auto bad_name = [](std::string_view name) {
        return name.size() > topic_bytes_max || !is_clean_text(name) ||
               name.find_first_of(" \t\r\n") != std::string_view::npos;
    };
    if (message.topic.empty() || bad_name(message.topic) || bad_name(options.reply_to)) {
        refuse("a topic is 1 to 200 bytes of UTF-8 without white space or zero bytes");
    }
    if (message.type.name.empty() || !is_clean_text(message.type.name)) {
        refuse("its type has no name, or one that is not UTF-8 or holds a zero byte");
    }
    if (options.key.size() > topic_bytes_max) refuse("its key is over 200 bytes");
    if (!is_clean_text(options.key)) refuse("its key is not UTF-8 or holds a zero byte");
    if (options.id && options.id->is_nil()) refuse("its id is nil");
    if (options.due_at && *options.due_at > due_max) {
        refuse("it is to be delivered after the year 9999: give an instant that comes");
    }
    if (options.headers.size() > headers_bytes_max) {
        refuse("its headers are over 64 KiB: put large things into the payload");
    }
    if (message.data.size() > payload_bytes_max) {
        refuse("its payload is over the limit: store it elsewhere and send a reference");
    }
    if (!is_json(message.data)) refuse("its payload is not JSON");
    if (!options.headers.empty() && !is_json_object(options.headers)) {
        refuse("its headers are not a JSON object");
    }
}

void check_mark(std::string_view consumer, const EventId& message) {
    const bool is_named = !consumer.empty() && consumer.size() <= consumer_bytes_max;
    if (is_named && is_clean_text(consumer) && !message.is_nil()) return;
    throw InvalidError(
        "an inbox mark needs a consumer of 1 to 401 bytes of UTF-8 without zero "
        "bytes, and a message id: consumer '" +
        clean_text(consumer, topic_bytes_max) + "', id " + message.to_string());
}

/// Stores the parts of a batch and returns how many events were new.
std::size_t append_parts(WriteTransaction& engine, const std::vector<AppendRequest>& requests) {
    std::vector<const AppendRequest*> pointers;
    pointers.reserve(requests.size());
    for (const AppendRequest& request : requests) pointers.push_back(&request);
    std::vector<AppendOutcome> outcomes = engine.append_all(pointers);
    std::size_t stored = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const AppendRequest& request = requests[i];
        if (auto* conflict = std::get_if<Conflict>(&outcomes[i])) {
            throw ConflictError(std::move(*conflict));
        }
        const auto& result = std::get<AppendResult>(outcomes[i]);
        const Version last{request.expected.version().value() + request.events.size()};
        if (result.version != last) {
            throw ConflictError({request.stream, request.expected, engine.version(request.stream)});
        }
        if (!result.repeated) stored += request.events.size();
    }
    return stored;
}

}  // namespace

Transaction::Transaction(StoreCore& store, WriteTransaction& engine, Trace trace) noexcept
    : store_(store), engine_(engine), sql_(engine.sql()), trace_(trace) {}

AppendResult Transaction::append(const StreamName& stream, ExpectedVersion expected,
                                 std::span<const NewEvent> events) {
    AppendOutcome outcome = try_append(stream, expected, events);
    if (auto* conflict = std::get_if<Conflict>(&outcome)) throw ConflictError(std::move(*conflict));
    return std::get<AppendResult>(outcome);
}

AppendOutcome Transaction::try_append(const StreamName& stream, ExpectedVersion expected,
                                      std::span<const NewEvent> events) {
    store_.check(stream, events);
    return store_events(stream, expected, events);
}

AppendOutcome Transaction::store_events(const StreamName& stream, ExpectedVersion expected,
                                        std::span<const NewEvent> events) {
    require_intact();
    broken_ = true;
    AppendOutcome outcome = engine_.append({stream, expected, events, now(), trace_});
    broken_ = false;
    appended_ = appended_ || has_stored(outcome);
    return outcome;
}

std::size_t Transaction::append_recorded(const RecordedBatch& batch) {
    if (const auto* reserved = batch.reserved_stream()) StoreCore::check_not_reserved(*reserved);
    return store_recorded(batch);
}

std::size_t Transaction::store_recorded(const RecordedBatch& batch) {
    if (batch.empty()) return 0;
    require_intact();
    broken_ = true;
    std::size_t stored = 0;
    engine_.savepoint();
    try {
        stored = append_parts(engine_, batch.requests(RecordedBatch::Cut::runs));
        engine_.release_savepoint();
    } catch (const DuplicateError&) {
        // The events may be stored already, appended in batches that were cut at other places. The
        // engine refuses such a batch as a partial repeat, so each event is appended by itself.
        engine_.rollback_to_savepoint();
        stored = append_parts(engine_, batch.requests(RecordedBatch::Cut::events));
    }
    broken_ = false;
    appended_ = appended_ || stored > 0;
    return stored;
}

void Transaction::require_intact() const {
    engine_.require_open();
    if (!broken_) return;
    throw InvalidError(
        "store '" + store_.uri +
        "': an append of this transaction has failed half-way, so the transaction cannot be "
        "committed: let the append's error pass");
}

EventRange Transaction::read(const StreamName& stream, StreamRead options) {
    return EventRange{store_.stream_pages(stream, options, &engine_), store_.pages->borrow()};
}

EventRange Transaction::read_all(LogRead options) {
    return EventRange{store_.log_pages(options, &engine_), store_.pages->borrow()};
}

Version Transaction::version(const StreamName& stream) { return engine_.version(stream); }

Position Transaction::head() { return engine_.head(); }

EventId Transaction::publish(const OutgoingMessage& message) {
    check(message, store_.options.payload_bytes_max);
    const PublishOptions& options = message.options;
    const EventId id = options.id ? *options.id : EventId::generate();
    const int partition =
        detail::partition_of(options.key.empty() ? id.to_string() : std::string_view{options.key});
    const SqlValue row[] = {id,
                            message.topic,
                            options.key,
                            partition,
                            message.type.name,
                            message.type.version,
                            message.data,
                            message.data.size(),
                            options.headers,
                            options.reply_to,
                            SqlValue::id_or_null(trace_.correlation),
                            SqlValue::id_or_null(trace_.causation),
                            now(),
                            std::max(options.due_at.value_or(now()), now())};
    if (!options.id) {
        engine_.sql().execute_later(detail::sql::outbox_insert, row);
    } else if (engine_.sql().execute(detail::sql::outbox_insert, row) == 0) {
        throw DuplicateError("message id " + id.to_string() + " to topic '" +
                             std::string(message.topic) +
                             "' waits in the outbox already: give a new message a new id");
    }
    return id;
}

bool Transaction::mark_handled(std::string_view consumer, const EventId& message) {
    check_mark(consumer, message);
    return engine_.sql().exec(detail::sql::inbox_insert, consumer, message, now(), nullptr) == 1;
}

bool Transaction::mark_handled(std::string_view consumer, const EventId& message,
                               std::uint64_t content) {
    check_mark(consumer, message);
    if (engine_.sql().exec(detail::sql::inbox_insert, consumer, message, now(),
                           static_cast<std::int64_t>(content)) == 1) {
        return true;
    }
    const auto marked = engine_.sql().integer(detail::sql::inbox_content, consumer, message);
    // A mark without a hash was set by the overload without content, and matches any content.
    if (!marked || static_cast<std::uint64_t>(*marked) == content) return false;
    throw DuplicateError("message id " + message.to_string() + ": '" + std::string(consumer) +
                         "' has handled another message of this id, with another payload: publish "
                         "each message under an id of its own");
}

Timestamp Transaction::now() {
    if (now_ == Timestamp{}) now_ = store_.clock().now();
    return now_;
}

}  // namespace daybook
