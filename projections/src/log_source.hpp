#pragma once

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/store_access.hpp"

// The log as projections read it, and what tells one log from another. A checkpoint holds the
// identity of the store and the id of the event at its position. After the restore of a backup, in
// a new store under an old name, or in a log that lost its last events, at least one of the two
// differs, and the model is not continued.

namespace daybook::detail {

/// A model was made from another log than the store has now: it must be rebuilt.
class OtherLogError final : public CorruptError {
public:
    using CorruptError::CorruptError;
};

/// The store's identity and the ids of the events at two positions; nil where there is no event.
struct LogIds {
    EventId store;
    EventId first;
    EventId second;
};

/// Reads them with one statement, on a connection to the store's own database.
LogIds read_log_ids(Sql& store, Position first, Position second);

class LogSource {
public:
    virtual ~LogSource() = default;
    virtual void read(const PageRequest& request, EventPage& page) = 0;
    virtual LogIds ids_at(Position first, Position second) = 0;
};

/// The committed log.
class CommittedLog final : public LogSource {
public:
    explicit CommittedLog(const EventStore& store) : store_(store) {}

    void read(const PageRequest& request, EventPage& page) override {
        read_page(store_, request, page);
    }
    LogIds ids_at(Position first, Position second) override {
        return read_log_ids(PooledReader { engine_of(store_) } -> sql(), first, second);
    }

private:
    EventStore store_;
};

/// The log as an open transaction of the store sees it, with the events which that transaction has
/// appended. `tx` must outlive this.
class UncommittedLog final : public LogSource {
public:
    explicit UncommittedLog(Transaction& tx) : tx_(tx) {}

    void read(const PageRequest& request, EventPage& page) override {
        read_page(tx_, request, page);
    }
    LogIds ids_at(Position first, Position second) override {
        return read_log_ids(store_sql(tx_), first, second);
    }

private:
    Transaction& tx_;
};

}  // namespace daybook::detail
