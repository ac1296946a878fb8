#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/appender.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/connection_sql.hpp"
#include "engine/postgres/event_reader.hpp"
#include "engine/type_table.hpp"

namespace daybook::postgres {

/// The one connection of this process that writes to the store. It is replaced when it was lost,
/// and what had been asked of it is found out on the new one.
class Writer {
public:
    Writer(Place place, StoreOptions options, TypeTable& types);

    /// Held by whoever uses anything below.
    std::mutex mutex;

    /// A group of appends in a transaction of its own, in one round trip.
    std::vector<AppendOutcome> append_group(AppendRequests requests);

    /// Begins a unit: from its first statement on, with which this goes to the server, nobody else
    /// writes to the store.
    void begin();
    std::vector<AppendOutcome> append_all(AppendRequests requests);
    void savepoint();
    void release_savepoint() { connection_->run("RELEASE SAVEPOINT unit"); }
    void rollback_to_savepoint();
    /// Throws the unit's first error if it has failed or was ended.
    void require_open() const { connection_->require_whole(); }
    void commit();
    void rollback() noexcept;

    /// Of the open unit, which knows it: nobody else appends meanwhile.
    Position head();
    EventReader& reader() noexcept { return *reader_; }
    ConnectionSql& sql() noexcept { return *sql_; }

private:
    using Deadline = std::chrono::steady_clock::time_point;

    void connect();
    /// Begins a unit on the connection that is there, without waiting for the answer.
    void begin_here();
    /// Waits for it, if nothing in the unit has done so.
    void await_begin();
    /// Connects until the deadline, if the server is away for a moment.
    void connect_again(Deadline deadline);
    void drop() noexcept { connection_.reset(); }
    void require_connection();
    /// Appends a group once more whose connection was lost: the ids tell what is there already.
    std::vector<AppendOutcome> settle_group(AppendRequests requests, std::string why);
    /// Finds out on a new connection whether the unit was committed.
    void settle_commit();
    /// Ends the server's side of a lost connection, which may hold the lock until the server has
    /// noticed that nobody listens any more.
    void end_process(int id);
    /// `committed`, `aborted`, `in progress` or `unknown`.
    std::string outcome_of_unit();
    [[noreturn]] void throw_in_doubt(const std::string& why) const;

    const Place place_;
    const StoreOptions options_;
    TypeTable& types_;
    std::unique_ptr<Connection> connection_;
    std::unique_ptr<EventReader> reader_;
    std::unique_ptr<Appender> appender_;
    std::unique_ptr<ConnectionSql> sql_;
    std::string transaction_;         ///< number of the open unit's
    std::string life_;                ///< of the server, when that began
    std::optional<Position> head_;    ///< of the open unit, if known
    std::optional<EventId> written_;  ///< an event that is there if the open unit is committed
};

}  // namespace daybook::postgres
