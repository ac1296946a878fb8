#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/event_range.hpp"
#include "daybook/eventstore/outgoing_message.hpp"
#include "daybook/eventstore/recorded_batch.hpp"

namespace daybook {

class StoreCore;

/// One atomic unit: appends to any number of streams, outbox messages, inbox marks and SQL on the
/// store's own database commit together or not at all. Only alive inside `EventStore::transact`,
/// on the thread that called it. What it reads includes what it wrote.
class Transaction {
public:
    /// Made by the store; a program receives one.
    Transaction(StoreCore& store, WriteTransaction& engine, Trace trace) noexcept
        : store_(store), engine_(engine), trace_(trace) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// As EventStore::append, within the unit. Throws ConflictError; let it pass and the unit is
    /// rolled back.
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
    /// DuplicateError if an id was used for something else: let them pass.
    std::size_t append_recorded(const RecordedBatch& batch);

    /// The range must not outlive the transaction.
    EventRange read(const StreamName& stream, StreamRead options = {});
    EventRange read_all(LogRead options = {});
    /// As EventStore::read_page.
    void read_page(const PageRequest& request, EventPage& page);
    Version version(const StreamName& stream) { return engine_.version(stream); }
    Position head() { return engine_.head(); }

    /// Puts a message into the outbox: it is delivered after the commit, or never existed.
    /// Returns its id. Throws InvalidError for a bad topic or key, DuplicateError if a message
    /// of that id is waiting already.
    template <Event Message>
    EventId publish(std::string_view topic, const Message& message, PublishOptions options = {}) {
        OutgoingMessage outgoing{topic, Message::type, {}, std::move(options)};
        Codec<Message>::encode(message, outgoing.data);
        return publish(outgoing);
    }
    EventId publish(const OutgoingMessage& message);

    /// The inbox: true if `consumer` sees this message for the first time, and from the commit on
    /// never again. False means the effect is there already: do nothing.
    bool mark_handled(std::string_view consumer, const EventId& message);

    /// SQL on the store's own database (read models that are fed inline, a program's own tables).
    Sql& sql() noexcept { return engine_.sql(); }

    /// What the events and messages of this unit carry unless they carry their own.
    const Trace& trace() const noexcept { return trace_; }
    void set_trace(const Trace& trace) noexcept { trace_ = trace; }

    /// The store's clock, read once for the unit: all its events are recorded at this instant.
    Timestamp now();

    bool has_appended() const noexcept { return appended_; }
    /// Throws InvalidError if an append of this unit failed half-way and was caught.
    void require_whole() const;

private:
    StoreCore& store_;
    WriteTransaction& engine_;
    Trace trace_;
    Timestamp now_{};
    bool appended_ = false;
    bool broken_ = false;
};

}  // namespace daybook
