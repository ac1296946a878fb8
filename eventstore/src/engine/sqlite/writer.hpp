#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/connection.hpp"
#include "engine/sqlite/event_reader.hpp"
#include "engine/sqlite/file_guard.hpp"
#include "engine/sqlite/stream_index.hpp"
#include "values/text_hash.hpp"

namespace daybook::sqlite {

/// The connection over which this process writes to the store. Guarded by `mutex`, which a
/// transaction holds from begin to end.
///
/// The writer caches the head of the log and the heads of streams, which saves a look-up in the
/// index for each append. The cache stays valid from one transaction to the next as long as no
/// other process commits. `begin` compares SQLite's `data_version` for this and drops the cache if
/// it has changed; with a stale cache, positions and versions would be given twice.
class Writer {
public:
    /// Connects with the first transaction, so that a store that cannot be written can be read.
    Writer(std::string path, FileGuard& guard, TypeTable& types, Durability durability,
           std::chrono::milliseconds busy_wait_max);

    Mutex mutex;

    /// Begins a transaction. If it throws, none is open.
    void begin() DAYBOOK_REQUIRES(mutex);
    /// Throws the first error of a transaction that SQLite has ended by itself, StorageError if
    /// nothing was stored, or InDoubtError if that could not be found out. A COMMIT that fails
    /// although its transaction is stored is a success.
    void commit() DAYBOOK_REQUIRES(mutex);
    void rollback() noexcept DAYBOOK_REQUIRES(mutex);
    void require_open() const DAYBOOK_REQUIRES(mutex) { connection_->require_open(); }
    /// Closes the connection, with no transaction open.
    void close() noexcept DAYBOOK_REQUIRES(mutex) { connection_.reset(); }

    AppendOutcome append(const AppendRequest& request) DAYBOOK_REQUIRES(mutex);
    void savepoint() DAYBOOK_REQUIRES(mutex) { connection_->run("SAVEPOINT daybook_append"); }
    void release_savepoint() DAYBOOK_REQUIRES(mutex) { connection_->run("RELEASE daybook_append"); }
    void rollback_to_savepoint() DAYBOOK_REQUIRES(mutex);

    /// The connection; a new one if the last one is no longer usable.
    Connection& connection() DAYBOOK_REQUIRES(mutex);
    bool suspects_damage() const noexcept DAYBOOK_REQUIRES(mutex) { return suspects_damage_; }
    EventReader& reader() noexcept DAYBOOK_REQUIRES(mutex) { return *reader_; }
    Sql& sql() noexcept DAYBOOK_REQUIRES(mutex) { return *sql_; }
    /// The pages of the write-ahead log after the last commit. Thread-safe.
    int wal_pages() const noexcept { return wal_pages_; }

private:
    struct StreamHead {
        std::int64_t id = 0;  ///< 0: the stream has no row yet
        std::int64_t category = 0;
        Version version;
    };

    void connect();
    void drop_cache() noexcept;
    StreamHead& stream_head(const StreamName& stream);
    void create_stream(const StreamName& stream, StreamHead& head);
    std::int64_t category_id(std::string_view name);
    std::int64_t type_id(const EventType& type);
    std::int64_t intern(std::string_view find, std::string_view insert,
                        const std::function<void(Statement&)>& bind);
    /// False if the id is taken.
    bool insert(const AppendRequest& request, const NewEvent& event, const StreamHead& head,
                Version version);
    std::optional<AppendResult> find_repeat(const AppendRequest& request);
    /// Finds out whether the transaction is stored although its COMMIT has failed with this code.
    /// Returns if it is, otherwise throws.
    void resolve_failed_commit(int code) DAYBOOK_REQUIRES(mutex);
    /// Looks for the transaction's first event on a new connection. Throws InDoubtError if that
    /// fails.
    bool was_committed(const std::string& why);

    static constexpr std::size_t stream_heads_max = 1 << 17;

    const std::string path_;
    FileGuard& guard_;
    TypeTable& types_;
    const Durability durability_;
    const std::chrono::milliseconds busy_wait_max_;
    std::unique_ptr<Connection> connection_;
    Statement* insert_ = nullptr;  ///< the connection's; saves a look-up for each event
    std::optional<StreamIndex> stream_index_;
    std::unique_ptr<EventReader> reader_;
    std::unique_ptr<ConnectionSql> sql_;

    std::int64_t data_version_ = -1;
    Position head_;
    detail::ByText<StreamHead> stream_heads_;
    detail::ByText<std::int64_t> categories_;
    detail::ByText<std::vector<std::pair<int, std::int64_t>>> event_types_;
    EventId first_id_;              ///< of the events appended in the open transaction
    bool suspects_damage_ = false;  ///< the last connection has met damage; not confirmed yet
    std::atomic<int> wal_pages_ = 0;
};

}  // namespace daybook::sqlite
