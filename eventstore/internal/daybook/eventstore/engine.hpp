#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/expected_version.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/append_result.hpp"
#include "daybook/eventstore/event_page.hpp"
#include "daybook/eventstore/log_point.hpp"
#include "daybook/eventstore/new_event.hpp"
#include "daybook/eventstore/read_options.hpp"
#include "daybook/eventstore/sql.hpp"

// The seam between what Daybook is and where it is stored. Everything above is written once;
// an engine below gives three things: reading and appending events, SQL inside the same
// transaction, and a cheap way to notice that another process has committed.
// `tests/contract` holds what every engine must do.

namespace daybook {

/// One stream's part of a unit, checked and complete: borrowed for the call.
struct AppendRequest {
    const StreamName& stream;
    ExpectedVersion expected;
    std::span<const NewEvent> events;  ///< at least one
    Timestamp recorded_at;
    Trace trace;  ///< for events that carry none of their own
};

using AppendRequests = std::span<const AppendRequest* const>;

/// What one page is to hold.
struct PageRequest {
    const StreamName* stream = nullptr;  ///< the whole log if there is none
    std::uint64_t from = 0;              ///< version or position, inclusive
    Direction direction = Direction::forward;
    const EventFilter* filter = nullptr;  ///< of the log only
    std::size_t events_max = 1000;
    std::size_t bytes_max = 4 * 1024 * 1024;
    /// What was read before; nothing if its position is 0. A log that does not hold that event is
    /// another one, and InvalidError.
    const LogPoint* known = nullptr;
};

/// Looks at the store. Used by one thread at a time.
class Reader {
public:
    virtual ~Reader() = default;
    /// Fills `page` in one short read; it holds at least one event unless `at_end`.
    virtual void read(const PageRequest& request, EventPage& page) = 0;
    /// How many events the stream holds; 0 if there is none of that name.
    virtual Version version(const StreamName& stream) = 0;
    /// The position of the newest event; 0 in an empty log.
    virtual Position head() = 0;
    virtual Sql& sql() = 0;
    /// From here to `end_snapshot` everything is answered from one state of the store.
    virtual void begin_snapshot() = 0;
    virtual void end_snapshot() noexcept = 0;
};

/// The one open write transaction of this process. Rolled back unless committed. What it reads
/// includes what it wrote.
class WriteTransaction : public Reader {
public:
    /// Checks the expectation, then stores all events or none. A unit that was stored before, by
    /// its event ids, is answered with its first result, whatever was expected. Throws
    /// DuplicateError if one of the ids was used for something else.
    ///
    /// An exception may leave part of the request behind: roll back to a savepoint, or entirely.
    virtual AppendOutcome append(const AppendRequest& request) = 0;
    /// The same for several, those of one stream in their order, each with a verdict of its own.
    virtual std::vector<AppendOutcome> append_all(AppendRequests requests) = 0;
    /// Throws the first error again if the engine has ended the transaction by itself: everything
    /// of it is gone, and nothing more of it will be stored.
    virtual void require_open() const {}
    virtual void savepoint() = 0;
    virtual void release_savepoint() = 0;
    virtual void rollback_to_savepoint() = 0;
    /// Returns when everything is on disk. Throws StorageError or UnavailableError if nothing of it
    /// was stored, InDoubtError if that cannot be known.
    virtual void commit() = 0;
};

/// What a read model's database is opened for.
enum class ReadModelUse {
    build,  ///< a new build that nobody reads yet: fast, and durable only after `finish_build`
    feed,   ///< the runner's connection to a build in service
    query,  ///< read only
};

/// A database of its own for one build of a read model (a file on SQLite), so that feeding it
/// never touches the append path. Used by one thread at a time.
class ReadModelDatabase {
public:
    virtual ~ReadModelDatabase() = default;
    virtual Sql& sql() = 0;
    /// Begins a write transaction, waiting for another process up to the store's deadline; when
    /// opened for `query`, a look at one state of the model.
    virtual void begin() = 0;
    virtual void commit() = 0;
    virtual void rollback() noexcept = 0;
    /// Throws InvalidError, naming it, if the open transaction has made anything that does not live
    /// in this database: a temporary table, a table of another schema.
    virtual void require_own() = 0;
    /// Puts all of a finished build on disk for good. Outside a transaction.
    virtual void finish_build() = 0;
};

/// The read-model databases of a store, by name (letters, digits, `.`, `_`, `-`).
class ReadModelDatabases {
public:
    virtual ~ReadModelDatabases() = default;
    /// `build` creates what is missing, the others throw NotFoundError.
    virtual std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) = 0;
    /// Removes it. What is looking at it keeps what it sees; a `begin` after that goes on seeing it
    /// or throws NotFoundError. Nothing happens if it is not there.
    virtual void remove(std::string_view name) = 0;
    virtual std::vector<std::string> list() = 0;
    /// Puts all that `name` holds, but for what begins with `daybook_`, into the store's own
    /// database, inside the unit that is open on `store`: as it is, nothing is computed, counted or
    /// triggered once more. Returns what came there, one thing a line, for `drop_from_store`.
    /// Throws InvalidError, naming it, for what is there already or cannot be moved. Nobody may be
    /// at work on `name`; remove it when the unit has committed.
    virtual std::vector<std::string> move_into_store(std::string_view name, Sql& store) = 0;
    /// Drops what `move_into_store` brought, inside the unit that is open on `store`. Throws
    /// InvalidError, naming it, if something that does not belong to it stands on it.
    virtual void drop_from_store(const std::vector<std::string>& things, Sql& store) = 0;
};

/// One open store.
class Engine {
public:
    virtual ~Engine() = default;

    /// A reader of the pool; give it back with `release`. Thread-safe.
    virtual Reader& acquire() = 0;
    virtual void release(Reader& reader) noexcept = 0;
    /// Begins the write transaction, waiting for other threads and processes up to the store's
    /// deadline; then UnavailableError. Thread-safe.
    virtual std::unique_ptr<WriteTransaction> begin() = 0;
    /// `append_all` in a transaction of its own, committed. An engine behind a network does it in
    /// one round trip, and then an id that was used before may be DuplicateError for all: ask for
    /// each in a transaction that can be rolled back. Throws what `append` and `commit` throw;
    /// nothing is stored then, but for InDoubtError. Thread-safe.
    virtual std::vector<AppendOutcome> append_all(AppendRequests requests) = 0;
    /// Changes whenever another process has committed since the last call. Cheap; thread-safe.
    virtual std::uint64_t change_token() = 0;
    virtual ReadModelDatabases& read_models() = 0;
    /// The time that all who share the store agree on: this machine's where they all run on it,
    /// otherwise the server's.
    virtual const Clock& clock() const { return SystemClock::instance(); }
    /// The engine, its version and what it found out about itself, for people: `stats` shows it.
    virtual std::string description() const = 0;
};

/// A reader of the pool for as long as this lives.
class PooledReader {
public:
    explicit PooledReader(Engine& engine) : engine_(engine), reader_(engine.acquire()) {}
    ~PooledReader() { engine_.release(reader_); }
    PooledReader(const PooledReader&) = delete;
    PooledReader& operator=(const PooledReader&) = delete;

    Reader* operator->() const noexcept { return &reader_; }
    Reader& operator*() const noexcept { return reader_; }

private:
    Engine& engine_;
    Reader& reader_;
};

/// While this lives, `reader` answers everything from one state of the store.
class ReaderSnapshot {
public:
    explicit ReaderSnapshot(Reader& reader) : reader_(reader) { reader_.begin_snapshot(); }
    ~ReaderSnapshot() { reader_.end_snapshot(); }
    ReaderSnapshot(const ReaderSnapshot&) = delete;
    ReaderSnapshot& operator=(const ReaderSnapshot&) = delete;

private:
    Reader& reader_;
};

}  // namespace daybook
