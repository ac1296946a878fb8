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

/// An atomic transaction: appends to any number of streams, outbox messages, inbox marks and SQL on
/// the store's own database commit together or not at all. It lives only inside
/// `EventStore::transact`, on the thread that called it. Its reads see its own writes, and from its
/// first statement to its end no other transaction writes to the store.
///
/// An error may make the engine end the transaction by itself (on SQLite a full disk, a failed read
/// or INSERT OR ROLLBACK; on PostgreSQL a lost connection). A program that catches the error and
/// goes on stores nothing more: each further call throws that first error again, and so does the
/// commit. Otherwise the second half of the transaction would be stored without the first.
class Transaction {
public:
    /// Called by the store; a program gets its transaction from EventStore::transact.
    Transaction(StoreCore& store, WriteTransaction& engine, Trace trace) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// As EventStore::append, within the transaction. Throws ConflictError; if it leaves the
    /// function, the transaction is rolled back. Throws InvalidError for a stream that is reserved
    /// for Daybook.
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::span<const NewEvent> events);
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::initializer_list<NewEvent> events) {
        return append(stream, expected, std::span<const NewEvent>{events.begin(), events.size()});
    }
    /// The same, but returns a conflict; the transaction may go on.
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events);

    /// Stores events as another store has recorded them: nothing is upcast or checked to be JSON,
    /// and the transaction's trace is not added. Commit hooks run as after any append. Events that
    /// are stored already, at the same version of their stream, are left as they are. Returns how
    /// many were new. Throws ConflictError if one does not fit into its stream, and DuplicateError
    /// if an id belongs to another event; the caller lets both leave the function. Throws
    /// InvalidError for streams that are reserved for Daybook: they are useless without the tables
    /// that belong to them. `mirror` and `migrate` copy both.
    std::size_t append_recorded(const RecordedBatch& batch);

    /// The range must not outlive the transaction.
    EventRange read(const StreamName& stream, StreamRead options = {});
    EventRange read_all(LogRead options = {});
    Version version(const StreamName& stream);
    Position head();

    /// Puts a message into the outbox. It is delivered after the commit; after a rollback it was
    /// never there. Returns its id. Throws InvalidError for a bad topic or key, a payload or
    /// headers that are not JSON or too large, or an instant after the year 9999; DuplicateError if
    /// a message of that id is in the outbox already.
    template <Event Message>
    EventId publish(std::string_view topic, const Message& message, PublishOptions options = {}) {
        OutgoingMessage outgoing{topic, Message::type, {}, std::move(options)};
        Codec<Message>::encode(message, outgoing.data);
        return publish(outgoing);
    }
    EventId publish(const OutgoingMessage& message);

    /// Marks a message as handled in the inbox. Returns true the first time for this `consumer`,
    /// false if it was marked already: its effect is stored, and the caller does nothing. Throws
    /// InvalidError for a nil id or a consumer that is not 1 to 401 bytes of UTF-8 without zero
    /// bytes.
    bool mark_handled(std::string_view consumer, const EventId& message);
    /// The same with a hash of the message's content. Throws DuplicateError if the consumer has
    /// handled a message of this id with another content: the stored effect is not that of this
    /// one.
    bool mark_handled(std::string_view consumer, const EventId& message, std::uint64_t content);

    /// SQL on the store's own database (read models that are fed inline, a program's own tables).
    /// The tables of the store, whose names begin with `daybook_`, can be read and not changed.
    Sql& sql() noexcept { return sql_; }

    /// The trace of this transaction's events and messages that have none of their own.
    const Trace& trace() const noexcept { return trace_; }
    void set_trace(const Trace& trace) noexcept { trace_ = trace; }

    /// The store's clock, read once: all events of the transaction are recorded at this instant.
    Timestamp now();

private:
    friend StoreCore;
    friend detail::StoreAccess;

    /// Throws InvalidError if an append of this transaction failed half-way and the program caught
    /// the error: part of it is written and must not be committed. If the engine has ended the
    /// transaction by itself, throws that first error again.
    void require_intact() const;
    AppendOutcome store_events(const StreamName& stream, ExpectedVersion expected,
                               std::span<const NewEvent> events);
    std::size_t store_recorded(const RecordedBatch& batch);

    StoreCore& store_;
    WriteTransaction& engine_;
    GuardedSql sql_;
    Trace trace_;
    Timestamp now_{};
    bool appended_ = false;
    bool broken_ = false;  ///< an append failed half-way
};

}  // namespace daybook
