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

/// What a unit left behind.
struct CommitResult {
    /// The head of the log when it committed: wait for this one to read your own write.
    Position position;
};

/// What runs inside every unit that appended events, just before it commits.
using CommitHook = std::function<void(Transaction&)>;

/// The log: an append-only store of events in streams, on one SQLite file or in one schema of a
/// PostgreSQL database.
///
///     auto store = EventStore::open("bank.db");
///     store.append("account-1", no_stream, {Opened{"Ada"}, Deposited{100'00}});
///     for (const EventView event : store.read("account-1")) use(event.type(), event.data());
///
/// A handle: copies share one open store, the last one closes it. Thread-safe; ranges and
/// transactions are not. Any number of processes may open one store; a child after `fork` opens its
/// own: there every call of an inherited handle throws InvalidError, and the handle can be dropped.
class EventStore {
public:
    /// Opens `orders.db`, `sqlite:orders.db`, `:memory:` (a store of its own that vanishes with
    /// the last handle), or `postgresql://user@host/database?schema=orders`. Applies what is
    /// missing of the schema in one transaction. Throws NotFoundError (no such file or database,
    /// and not to be created), StorageError (cannot be read), InvalidError (a bad uri; a store made
    /// by a newer Daybook), CorruptError (not a store), UnavailableError (no server, no right to
    /// use it).
    ///
    /// The name of a file means that file for as long as the store is open, wherever the program
    /// goes, and is never a URI: `file:x?mode=ro` is a file of that name. A file that the program
    /// may not write can be read; each write is StorageError then, until the right is given. A file
    /// that was removed, replaced or given a second name (a hard link) while it is open takes no
    /// more events: StorageError.
    static EventStore open(std::string_view uri, StoreOptions options = {});

    /// Stores `events` at the end of `stream`; on return they are on disk. Concurrent callers are
    /// committed together. Throws ConflictError, DuplicateError, InvalidError (no events, a payload
    /// that is not JSON or over the limit, a stream that is kept for Daybook's own: see
    /// StreamName::is_reserved), UnavailableError, StorageError, InDoubtError: in every case but
    /// the last nothing was stored. An exact repeat (same ids, same content) returns the first
    /// result.
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::span<const NewEvent> events);
    AppendResult append(const StreamName& stream, ExpectedVersion expected,
                        std::initializer_list<NewEvent> events) {
        return append(stream, expected, std::span<const NewEvent>{events.begin(), events.size()});
    }
    /// The same; a conflict is an answer and not an exception.
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::span<const NewEvent> events);
    AppendOutcome try_append(const StreamName& stream, ExpectedVersion expected,
                             std::initializer_list<NewEvent> events) {
        return try_append(stream, expected,
                          std::span<const NewEvent>{events.begin(), events.size()});
    }

    /// Hands the append over and returns, so that one thread can keep hundreds outstanding. The
    /// future is ready when the events are on disk, or throws what `append` would have thrown;
    /// InvalidError is thrown at once. What one thread hands over for one stream is stored in that
    /// order; between different streams there is none. Waits while 4,096 are outstanding. The first
    /// call starts a thread of the store; the last handle waits until everything outstanding is
    /// stored.
    std::future<AppendResult> append_async(StreamName stream, ExpectedVersion expected,
                                           std::vector<NewEvent> events);

    /// The events of one stream. A stream that is not there is an empty range.
    EventRange read(const StreamName& stream, StreamRead options = {}) const;
    /// The events of the whole log.
    EventRange read_all(LogRead options = {}) const;
    Version version(const StreamName& stream) const;
    Position head() const;

    /// Runs `unit` in one transaction on this thread and commits it; rolls back and rethrows what
    /// it throws. Must not be nested. `trace` is what its events and messages carry.
    CommitResult transact(const std::function<void(Transaction&)>& unit, Trace trace = {});

    /// Runs read-only SQL on the store's own database, of which it sees one state. `look` runs on
    /// this thread. The tables of the store begin with `daybook_`; the views `outbox` and `inbox`
    /// are there to be looked at.
    void query(const std::function<void(Sql&)>& look) const;

    /// Waits until the log reaches beyond `seen`, in this or another process. False after `timeout`
    /// (see `forever`) or when `stop` is requested.
    bool wait_beyond(Position seen, std::chrono::milliseconds timeout,
                     std::stop_token stop = {}) const;
    /// A number that grows with every commit this process learns of, its own and others'.
    std::uint64_t commits() const;
    /// Waits until `commits()` is no longer `seen`, or `timeout`, or `stop`. Take `seen` before
    /// looking for work, and no commit is slept through.
    void wait_for_commit(std::uint64_t seen, std::chrono::milliseconds timeout,
                         std::stop_token stop = {}) const;

    /// Adds a hook to every unit of this process that appends; it is gone with the returned handle.
    /// If it throws, that unit fails, and only that one.
    [[nodiscard]] std::shared_ptr<void> add_commit_hook(CommitHook hook);

    /// Which store this is: given when it was made, kept by its backups and copies of its files.
    /// Two stores of one name, one after the other, have two.
    EventId identity() const;
    const Clock& clock() const noexcept;
    /// What it was opened by, without a password (see shown_uri).
    const std::string& uri() const noexcept;
    const StoreOptions& options() const noexcept;
    void log(LogLevel level, std::string_view text) const;
    /// The engine, its version and what it found out about itself, for people.
    std::string engine_description() const;

private:
    friend detail::StoreAccess;
    explicit EventStore(std::shared_ptr<StoreCore> core) noexcept;
    std::shared_ptr<StoreCore> core_;
};

}  // namespace daybook
