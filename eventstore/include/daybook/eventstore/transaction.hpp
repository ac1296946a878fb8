#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "daybook/core/expected_version.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/append_result.hpp"
#include "daybook/eventstore/event_range.hpp"
#include "daybook/eventstore/guarded_sql.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/eventstore/outgoing_message.hpp"
#include "daybook/eventstore/read_options.hpp"
#include "daybook/eventstore/recorded_batch.hpp"
#include "daybook/eventstore/sql.hpp"

namespace daybook {

class StoreCore;
class WriteTransaction;

namespace detail {
struct StoreAccess;
}

/// One atomic unit: appends to any number of streams, outbox messages, inbox marks and SQL on the
/// store's own database commit together or not at all. Only alive inside `EventStore::transact`,
/// on the thread that called it. What it reads includes what it wrote, and from its first statement
/// on nobody else writes to the store.
///
/// An error may make the engine end the transaction by itself (on SQLite a full disk, a failed read
/// or INSERT OR ROLLBACK; on PostgreSQL a lost connection). A unit that catches it and goes on
/// stores nothing more: every further call throws that first error again, and so does the commit.
class Transaction {
public:
    /// Made by the store; a program receives one.
    Transaction(StoreCore& store, WriteTransaction& engine, Trace trace) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// As EventStore::append, within the unit. Throws ConflictError; let it pass and the unit is
    /// rolled back. Throws InvalidError for a stream that is kept for Daybook's own.
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::span<const NewEvent> events);
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::initializer_list<NewEvent> events) {
        return append(stream, expected, std::span<const NewEvent>{events.begin(), events.size()});
    }
    /// The same, with the conflict returned; the unit may go on.
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events);

    /// Stores what another store has recorded, as it was recorded there: nothing is upcast or
    /// checked to be JSON, and the unit's trace is not added; commit hooks run as after any append.
    /// Events that are stored already, in the same place of their stream, are left as they are;
    /// returns how many were new. Throws ConflictError if one does not fit into its stream,
    /// DuplicateError if an id was used for something else: let them pass. Streams that are kept
    /// for Daybook's own are refused with InvalidError, as they mean nothing without the tables
    /// beside them: `mirror` and `migrate` copy both.
    std::size_t append_recorded(const RecordedBatch& batch);

    /// The range must not outlive the transaction.
    EventRange read(const StreamName& stream, StreamRead options = {});
    EventRange read_all(LogRead options = {});
    Version version(const StreamName& stream);
    Position head();

    /// Puts a message into the outbox: it is delivered after the commit, or never existed.
    /// Returns its id. Throws InvalidError for a bad topic or key, a payload or headers that are
    /// not JSON or too large, or an instant behind the year 9999; DuplicateError if a message of
    /// that id is waiting already.
    template <Event Message>
    EventId publish(std::string_view topic, const Message& message, PublishOptions options = {}) {
        OutgoingMessage outgoing{topic, Message::type, {}, std::move(options)};
        Codec<Message>::encode(message, outgoing.data);
        return publish(outgoing);
    }
    EventId publish(const OutgoingMessage& message);

    /// The inbox: true if `consumer` sees this message for the first time, and from the commit on
    /// never again. False means the effect is there already: do nothing. Throws InvalidError for a
    /// nil id or a consumer that is not 1 to 401 bytes of UTF-8 without zero bytes.
    bool mark_handled(std::string_view consumer, const EventId& message);
    /// The same with a hash of what the message says. Throws DuplicateError if the consumer has
    /// handled a message of this id that says something else: its effect is another one.
    bool mark_handled(std::string_view consumer, const EventId& message, std::uint64_t content);

    /// SQL on the store's own database (read models that are fed inline, a program's own tables).
    /// The store's tables, whose names begin with `daybook_`, can be read and not changed.
    Sql& sql() noexcept { return sql_; }

    /// What the events and messages of this unit carry unless they carry their own.
    const Trace& trace() const noexcept { return trace_; }
    void set_trace(const Trace& trace) noexcept { trace_ = trace; }

    /// The store's clock, read once for the unit: all its events are recorded at this instant.
    Timestamp now();

private:
    friend StoreCore;
    friend detail::StoreAccess;

    /// Throws InvalidError if an append of this unit failed half-way and was caught; if an error
    /// made the engine roll everything back by itself, that error again.
    void require_whole() const;
    AppendOutcome store_events(const StreamName& stream, ExpectedVersion expected,
                               std::span<const NewEvent> events);
    std::size_t store_recorded(const RecordedBatch& batch);

    StoreCore& store_;
    WriteTransaction& engine_;
    GuardedSql sql_;
    Trace trace_;
    Timestamp now_{};
    bool appended_ = false;
    bool broken_ = false;
};

}  // namespace daybook
