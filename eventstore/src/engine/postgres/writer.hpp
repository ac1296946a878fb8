#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daybook/core/mutex.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/appender.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/connection_sql.hpp"
#include "engine/postgres/event_reader.hpp"
#include "engine/type_table.hpp"

namespace daybook::postgres {

/// The connection over which this process writes to the store. When it is lost, the writer connects
/// again and finds out on the new connection whether the transaction was committed.
class Writer {
public:
    Writer(ConnectionString connection_string, StoreOptions options, TypeTable& types);

    /// The caller holds it while it uses anything below.
    Mutex mutex;

    /// Appends a group in a transaction of its own, in one round trip.
    std::vector<AppendOutcome> append_group(AppendRequests requests) DAYBOOK_REQUIRES(mutex);

    /// Begins a transaction. BEGIN and the statement that takes the store's lock are sent together
    /// with the first statement of the caller, which saves a round trip. From then on the lock
    /// keeps all other writers out until commit or rollback.
    void begin() DAYBOOK_REQUIRES(mutex);
    std::vector<AppendOutcome> append_all(AppendRequests requests) DAYBOOK_REQUIRES(mutex);
    void savepoint() DAYBOOK_REQUIRES(mutex);
    void release_savepoint() DAYBOOK_REQUIRES(mutex) {
        connection_->run("RELEASE SAVEPOINT daybook_append");
    }
    void rollback_to_savepoint() DAYBOOK_REQUIRES(mutex);
    /// Throws the transaction's first error if it has failed or a statement has ended it.
    void require_open() const DAYBOOK_REQUIRES(mutex) { connection_->require_intact(); }
    void commit() DAYBOOK_REQUIRES(mutex);
    void rollback() noexcept DAYBOOK_REQUIRES(mutex);

    /// The head of the log in the open transaction. The writer counts it itself: the store's lock
    /// keeps other writers out.
    Position head() DAYBOOK_REQUIRES(mutex);
    EventReader& reader() noexcept DAYBOOK_REQUIRES(mutex) { return *reader_; }
    ConnectionSql& sql() noexcept DAYBOOK_REQUIRES(mutex) { return *sql_; }

private:
    using Deadline = std::chrono::steady_clock::time_point;

    void connect();
    /// Sends the beginning of a transaction on the current connection, without waiting for results.
    void send_begin();
    /// Waits for these results, if no later call has done so.
    void wait_for_begin();
    /// Tries to connect until the deadline: the server may be restarting.
    void reconnect(Deadline deadline);
    void drop_connection() noexcept { connection_.reset(); }
    void require_connection();
    /// Appends a group again after its connection was lost. Events that the first attempt stored
    /// are recognized by their ids, so none is stored twice.
    std::vector<AppendOutcome> resolve_group(AppendRequests requests, std::string why)
        DAYBOOK_REQUIRES(mutex);
    /// Finds out on a new connection whether the transaction was committed.
    void resolve_commit();
    /// Terminates the server's process of a lost connection. Otherwise it keeps the store's lock
    /// until the server notices that the connection is gone, and every writer would wait for that
    /// long.
    void terminate_backend(int process_id);
    /// The status of the transaction that was lost: `committed`, `aborted`, `in progress` or
    /// `unknown`.
    std::string transaction_status();
    [[noreturn]] void throw_in_doubt(const std::string& why) const;

    const ConnectionString connection_string_;
    const StoreOptions options_;
    TypeTable& types_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<EventReader> reader_;
    std::unique_ptr<Appender> appender_;
    std::unique_ptr<ConnectionSql> sql_;
    // The open transaction.
    std::string transaction_id_;  ///< by the server's count
    /// Identifies the run of the server in which the transaction began. After a crash the server
    /// may give the same transaction id to another transaction.
    std::string server_life_;
    std::optional<Position> head_;  ///< if known
    /// An event of the transaction: it is in the log exactly if the transaction was committed.
    std::optional<EventId> written_event_;
};

}  // namespace daybook::postgres
