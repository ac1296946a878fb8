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

// The seam between Daybook and the database that stores it. Everything above is written once. An
// engine provides three things: reading and appending events, SQL in the same transaction, and a
// cheap way to notice commits of other processes. `tests/contract` tests every engine.

namespace daybook {

/// An append to one stream, checked and complete. It borrows its parts for the call.
struct AppendRequest {
    const StreamName& stream;
    ExpectedVersion expected;
    std::span<const NewEvent> events;  ///< at least one
    Timestamp recorded_at;
    Trace trace;  ///< for events without a trace of their own
};

using AppendRequests = std::span<const AppendRequest* const>;

/// Which events a page should hold.
struct PageRequest {
    const StreamName* stream = nullptr;  ///< null for the whole log
    std::uint64_t from = 0;              ///< version or position, inclusive
    Direction direction = Direction::forward;
    const EventFilter* filter = nullptr;  ///< only for the whole log
    std::size_t events_max = 1000;
    std::size_t bytes_max = 4 * 1024 * 1024;
    /// The last event that the caller has read before; ignored if its position is 0. Throws
    /// InvalidError if the log does not hold this event at its position: it is another log then (a
    /// backup was restored, or another store took the name), and reading on would skip events.
    const LogPoint* last_read = nullptr;
};

/// Reads the store. Used by one thread at a time.
class Reader {
public:
    virtual ~Reader() = default;
    /// Fills `page` in one short read; it holds at least one event unless `at_end`.
    virtual void read(const PageRequest& request, EventPage& page) = 0;
    /// How many events the stream holds; 0 if it does not exist.
    virtual Version version(const StreamName& stream) = 0;
    /// The position of the newest event; 0 in an empty log.
    virtual Position head() = 0;
    virtual Sql& sql() = 0;
    /// From here to `end_snapshot` all reads see one state of the store.
    virtual void begin_snapshot() = 0;
    virtual void end_snapshot() noexcept = 0;
};

/// The one open write transaction of this process. It is rolled back unless it is committed. Its
/// reads see its own writes.
class WriteTransaction : public Reader {
public:
    /// Checks the expected version, then stores all events or none. If the same events, by their
    /// ids, are stored already, it returns the result of the first time, whatever version is
    /// expected. Throws DuplicateError if one of the ids belongs to another event.
    ///
    /// After an exception part of the request may be written: the caller has to roll back, to a
    /// savepoint or entirely.
    virtual AppendOutcome append(const AppendRequest& request) = 0;
    /// The same for several requests, each with an outcome of its own. Requests for one stream are
    /// stored in their order.
    virtual std::vector<AppendOutcome> append_all(AppendRequests requests) = 0;
    /// Throws the first error again if the engine has ended the transaction by itself. It is rolled
    /// back then; without this check the next statement would be committed alone.
    virtual void require_open() const {}
    virtual void savepoint() = 0;
    virtual void release_savepoint() = 0;
    virtual void rollback_to_savepoint() = 0;
    /// Returns when everything is on disk. Throws StorageError or UnavailableError if nothing was
    /// stored, InDoubtError if that could not be found out.
    virtual void commit() = 0;
};

/// What a read model's database is opened for.
enum class ReadModelUse {
    build,  ///< a new build without readers: fast, and durable only after `finish_build`
    feed,   ///< the runner's connection to a build in service
    query,  ///< read only
};

/// A separate database for one build of a read model (a file on SQLite), so that feeding it never
/// holds up appends. Used by one thread at a time.
class ReadModelDatabase {
public:
    virtual ~ReadModelDatabase() = default;
    virtual Sql& sql() = 0;
    /// Begins a write transaction; waits for another process up to the store's deadline. If opened
    /// for `query`, begins a read transaction that sees one state of the model.
    virtual void begin() = 0;
    virtual void commit() = 0;
    virtual void rollback() noexcept = 0;
    /// Throws InvalidError, which names it, if the open transaction has created something outside
    /// of this database: a temporary table, or a table of another schema.
    virtual void require_own() = 0;
    /// Makes a finished build durable. Called outside of a transaction.
    virtual void finish_build() = 0;
};

/// The read-model databases of a store, by name (letters, digits, `.`, `_`, `-`).
class ReadModelDatabases {
public:
    virtual ~ReadModelDatabases() = default;
    /// With `build` it creates the database if it does not exist, otherwise it throws
    /// NotFoundError.
    virtual std::unique_ptr<ReadModelDatabase> open(std::string_view name, ReadModelUse use) = 0;
    /// Removes it. An open read transaction keeps its state; a later `begin` may still see the
    /// database or throws NotFoundError. Does nothing if it does not exist.
    virtual void remove(std::string_view name) = 0;
    virtual std::vector<std::string> list() = 0;
    /// Copies everything in `name`, except for names that begin with `daybook_`, into the store's
    /// own database, in the transaction that is open on `store`. Rows are copied as they are: no
    /// generated value, counter or trigger acts once more. Returns the tables and views that were
    /// created, for `drop_from_store`. Throws InvalidError, which names it, for an object that
    /// exists in the store already or cannot be moved. `name` must not be in use meanwhile; the
    /// caller removes it after the transaction has committed.
    virtual std::vector<std::string> move_into_store(std::string_view name, Sql& store) = 0;
    /// Drops what `move_into_store` has returned, in the transaction that is open on `store`.
    /// Throws InvalidError, which names it, if an object of another owner depends on it.
    virtual void drop_from_store(const std::vector<std::string>& objects, Sql& store) = 0;
};

/// One open store.
class Engine {
public:
    virtual ~Engine() = default;

    /// A reader of the pool; the caller returns it with `release`. Thread-safe.
    virtual Reader& acquire() = 0;
    virtual void release(Reader& reader) noexcept = 0;
    /// Begins the write transaction. Waits for other threads and processes up to the store's
    /// deadline, then throws UnavailableError. Thread-safe.
    virtual std::unique_ptr<WriteTransaction> begin() = 0;
    /// `append_all` in a transaction of its own, with the commit. An engine behind a network does
    /// it in one round trip. Then an event id that is already stored may fail all requests with
    /// DuplicateError; the caller appends each with a savepoint to find out which one it was.
    /// Throws what `append` and `commit` throw; except for InDoubtError, nothing is stored then.
    /// Thread-safe.
    virtual std::vector<AppendOutcome> append_all(AppendRequests requests) = 0;
    /// Returns another value if another process has committed since the last call. Cheap;
    /// thread-safe.
    virtual std::uint64_t change_token() = 0;
    virtual ReadModelDatabases& read_models() = 0;
    /// The clock that all processes of the store share: that of this machine if all run on it,
    /// otherwise the server's.
    virtual const Clock& clock() const { return SystemClock::instance(); }
    /// The engine, its version and its settings, as text for people: `stats` shows it.
    virtual std::string description() const = 0;
};

/// Holds a reader of the pool.
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

/// While it lives, `reader` sees one state of the store.
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
