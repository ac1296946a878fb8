#pragma once

#include <string>
#include <string_view>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/store_access.hpp"

// Which log a checkpoint is a place in: the store's identity and the event that it stands on. A
// backup that was put back, a store that was begun anew, a log that lost its tail are other logs.

namespace daybook::detail {

/// A model does not belong to the log that is to be read: it has to be built anew.
class OtherLogError final : public CorruptError {
public:
    using CorruptError::CorruptError;
};

/// What a log has at two positions; a nil id where it has nothing.
struct LogPlaces {
    EventId store;
    EventId first;
    EventId second;
};

/// By the SQL of the store's own database.
LogPlaces read_places(Sql& store, Position first, Position second);

/// The log as a feed reads it.
class LogSource {
public:
    virtual ~LogSource() = default;
    virtual void read(const PageRequest& request, EventPage& page) = 0;
    virtual LogPlaces places(Position first, Position second) = 0;
};

/// What is committed.
class CommittedLog final : public LogSource {
public:
    explicit CommittedLog(const EventStore& store) : store_(store) {}

    void read(const PageRequest& request, EventPage& page) override {
        read_page(store_, request, page);
    }
    LogPlaces places(Position first, Position second) override {
        return read_places(PooledReader { engine_of(store_) } -> sql(), first, second);
    }

private:
    EventStore store_;
};

/// What an open unit sees; the unit must outlive this.
class UnitLog final : public LogSource {
public:
    explicit UnitLog(Transaction& unit) : unit_(unit) {}

    void read(const PageRequest& request, EventPage& page) override {
        read_page(unit_, request, page);
    }
    LogPlaces places(Position first, Position second) override {
        return read_places(store_sql(unit_), first, second);
    }

private:
    Transaction& unit_;
};

}  // namespace daybook::detail
