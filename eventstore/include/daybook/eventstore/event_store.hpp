#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/clock.hpp"
#include "daybook/core/log.hpp"
#include "daybook/eventstore/append_result.hpp"
#include "daybook/eventstore/event_range.hpp"
#include "daybook/eventstore/read_options.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "daybook/eventstore/transaction.hpp"

namespace daybook {

class StoreCore;

namespace detail {
struct StoreAccess;
}

/// The result of a committed transaction.
struct CommitResult {
    /// The head of the log at the commit. A read model that has reached it includes this
    /// transaction.
    Position position;
};

/// A function that runs inside each transaction that has appended events, just before its commit.
using CommitHook = std::function<void(Transaction&)>;

/// The log: an append-only store of events in streams, on one SQLite file or in one schema of a
/// PostgreSQL database.
///
///     auto store = EventStore::open("bank.db");
///     store.append("account-1", no_stream, {Opened{"Ada"}, Deposited{100'00}});
///     for (const EventView event : store.read("account-1")) use(event.type(), event.data());
///
/// A handle: copies share one open store, the last one closes it. Thread-safe; ranges and
/// transactions are not. Any number of processes may open one store. The child of a fork opens the
/// store again: each call of an inherited handle throws InvalidError there; dropping it is safe.
class EventStore {
public:
    /// Opens `orders.db`, `sqlite:orders.db`, `:memory:` (a private store that is gone with the
    /// last handle), or `postgresql://user@host/database?schema=orders`. Applies the migrations
    /// that the schema lacks in one transaction. Throws NotFoundError (no such file or database,
    /// and `create` is false), StorageError (cannot be read), InvalidError (a bad URI; a store made
    /// by a newer Daybook), CorruptError (not a store), UnavailableError (no server, no right to
    /// use it).
    ///
    /// The name of a file stays valid if the program changes its working directory, and is never a
    /// URI: `file:x?mode=ro` is a file of that name. A file that the program may not write can be
    /// read; each write throws StorageError until the right is granted. If the file is removed,
    /// replaced or given a second name (a hard link) while it is open, each write throws
    /// StorageError.
    static EventStore open(std::string_view uri, StoreOptions options = {});

    /// Stores `events` at the end of `stream`. On return they are on disk. Concurrent appends are
    /// committed together. Throws ConflictError, DuplicateError, InvalidError (no events, a payload
    /// that is not JSON or over the limit, a stream that is reserved for Daybook: see
    /// StreamName::is_reserved), UnavailableError, StorageError, InDoubtError: in every case but
    /// the last nothing was stored. An exact repeat (same ids, same content) returns the first
    /// result.
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::span<const NewEvent> events);
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::initializer_list<NewEvent> events) {
        return append(stream, expected, std::span<const NewEvent>{events.begin(), events.size()});
    }
    /// The same, but a conflict is returned, not thrown.
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events);
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::initializer_list<NewEvent> events) {
        return try_append(stream, expected,
                          std::span<const NewEvent>{events.begin(), events.size()});
    }

    /// Queues the append and returns, so that one thread can have hundreds pending. The future is
    /// ready when the events are on disk, or throws what `append` would have thrown; InvalidError
    /// is thrown at once. Appends of one thread to one stream are stored in their order; appends to
    /// different streams are stored in any order. Waits while 4,096 appends are pending. The first
    /// call starts a thread of the store; the destructor of the last handle waits until all are
    /// stored.
    std::future<AppendResult> append_async(StreamName stream, ExpectedVersion expected,
                                           std::vector<NewEvent> events);

    /// The events of one stream; an empty range if it does not exist.
    EventRange read(const StreamName& stream, StreamRead options = {}) const;
    /// The events of the whole log.
    EventRange read_all(LogRead options = {}) const;
    Version version(const StreamName& stream) const;
    Position head() const;

    /// Runs `work` in one transaction on this thread and commits it. If `work` throws, rolls back
    /// and rethrows. Must not be nested. `trace` is the trace of its events and messages.
    CommitResult transact(const std::function<void(Transaction&)>& work, Trace trace = {});

    /// Runs read-only SQL on the store's own database. `read` runs on this thread and sees one
    /// state of it. The names of the store's tables begin with `daybook_`; the views `outbox` and
    /// `inbox` are made for such queries.
    void query(const std::function<void(Sql&)>& read) const;

    /// Waits until the head of the log is beyond `seen`, whichever process appends. False after
    /// `timeout` (see `forever`) or when `stop` is requested.
    bool wait_beyond(Position seen, std::chrono::milliseconds timeout,
                     std::stop_token stop = {}) const;
    /// A number that grows with each commit that this process notices, its own or another
    /// process's.
    std::uint64_t commits() const;
    /// Waits until `commits()` is no longer `seen`, or `timeout`, or `stop`. The caller takes
    /// `seen` before it looks for work. Otherwise a commit between the two would not end the wait.
    void wait_for_commit(std::uint64_t seen, std::chrono::milliseconds timeout,
                         std::stop_token stop = {}) const;

    /// Adds a hook that runs in each transaction of this process that appends, as long as the
    /// returned handle lives. If it throws, that transaction fails, and only that one.
    [[nodiscard]] std::shared_ptr<void> add_commit_hook(CommitHook hook);

    /// The store's id, given when it was created. Backups and copies of its files have the same. A
    /// store that is created again under the same name has another one.
    EventId identity() const;
    const Clock& clock() const noexcept;
    /// The URI that it was opened with, without a password (see shown_uri).
    const std::string& uri() const noexcept;
    const StoreOptions& options() const noexcept;
    void log(LogLevel level, std::string_view text) const;
    /// The engine, its version and its settings, as text for people.
    std::string engine_description() const;

private:
    friend detail::StoreAccess;
    explicit EventStore(std::shared_ptr<StoreCore> core) noexcept;
    std::shared_ptr<StoreCore> core_;
};

}  // namespace daybook
