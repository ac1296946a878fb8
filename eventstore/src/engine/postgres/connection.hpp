#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection_string.hpp"
#include "engine/postgres/server_error.hpp"
#include "engine/postgres/session_settings.hpp"
#include "engine/postgres/values.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// The result of one statement. Reading a row or a number that the result does not have throws
/// CorruptError: the store's statements select only what every intact store has.
class Result {
public:
    explicit Result(PGresult* result) noexcept : result_(result) {}

    int rows() const noexcept { return PQntuples(result_.get()); }
    int columns() const noexcept { return PQnfields(result_.get()); }
    bool is_null(int row, int column) const noexcept {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    /// The field as the server sent it: text, or the bytes of a binary result; empty for NULL.
    std::string_view text(int row, int column) const {
        const char* const value = PQgetvalue(result_.get(), row, column);
        if (value == nullptr) fail_missing();
        return {value, static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    // The fields of binary results.
    std::int64_t int8(int row, int column) const { return number<std::int64_t>(row, column); }
    std::int32_t int4(int row, int column) const { return number<std::int32_t>(row, column); }
    /// Nil for NULL.
    EventId id(int row, int column) const;
    /// False for NULL.
    bool boolean(int row, int column) const { return text(row, column) == "\1"; }
    /// The elements of an int8[] or int4[], 0 for an element that is NULL; empty if the field is
    /// NULL.
    template <class Integer>
    std::vector<Integer> integers(int row, int column) const {
        return elements_of<Integer>(text(row, column));
    }

    Oid type(int column) const noexcept { return PQftype(result_.get(), column); }
    /// The oid of the table that the first column comes from; 0 if the column is computed.
    Oid table() const noexcept { return PQftable(result_.get(), 0); }
    const char* column_name(int column) const noexcept { return PQfname(result_.get(), column); }
    /// Rows that were inserted, updated or deleted.
    std::int64_t affected_rows() const;
    /// What the statement did: `COMMIT`, `INSERT 0 1`.
    std::string_view command_tag() const noexcept { return PQcmdStatus(result_.get()); }
    PGresult* get() const noexcept { return result_.get(); }

private:
    template <class Integer>
    Integer number(int row, int column) const {
        const std::string_view bytes = text(row, column);
        if (bytes.size() != sizeof(Integer)) fail_missing();
        return get_integer<Integer>(bytes.data());
    }
    [[noreturn]] static void fail_missing();

    struct Clear {
        void operator()(PGresult* result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

enum class Format : int { text = 0, binary = 1 };

/// One libpq connection with its prepared statements. One thread at a time uses it.
///
/// Nothing waits longer than the limits of StoreOptions. A connection that was lost, or on which an
/// answer did not come in time, stays `broken`. One that leads to a server that cannot serve the
/// store (a standby, a dropped schema) is no longer `usable`. Its owner replaces both.
///
/// Statements are pipelined: `send` each, then `receive` all their results in one round trip.
/// Outside of BEGIN and COMMIT, all statements sent together are one transaction.
class Connection {
public:
    /// `own` are settings that differ from those of the store's other connections. Throws
    /// UnavailableError (no server), DeniedError (wrong password), NotFoundError (no such
    /// database).
    Connection(const ConnectionString& connection_string, const StoreOptions& options,
               const Settings& own = {});
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `statement` refers to its parameters as `$1`, `$2` … The parameters are copied.
    void send(std::string_view statement, Parameters& parameters, Format format = Format::binary,
              Author author = Author::store);
    void send(std::string_view statement);
    using RowVisitor = std::function<void(const Result& row)>;
    /// Waits for the results of all statements sent since the last call, one for each. If one of
    /// them failed, throws its error after all results have come, so that the connection can be
    /// used again unless it is `broken`. With `visit_row` the rows of the last statement are passed
    /// on as they come, each as a result of one row, while the server works on the next; what
    /// `visit_row` throws is thrown at the end.
    std::vector<Result> receive(const RowVisitor& visit_row = {});

    Result run(std::string_view statement, Parameters& parameters, Format format = Format::binary);
    Result run(std::string_view statement);
    /// Several statements without parameters.
    void script(const std::string& statements, Author author = Author::store);
    /// Sends statements without waiting for their result. Returns false, and sends nothing, if the
    /// result of the last call has not come yet.
    bool try_send_async(const std::string& statements) noexcept;
    /// The first field of the last row of such a result, once a later send has taken it from the
    /// connection. Empty before.
    const std::string& async_result() const noexcept { return async_result_; }

    /// Behind a pooler, sends the settings, which each transaction has to make for itself there.
    /// Sends nothing on a connection of its own, which has them already.
    void send_settings();

    bool broken() const noexcept { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }
    /// Not broken, and no error has shown that the server only reads or that the store is gone.
    bool usable() const noexcept { return !unusable_ && !broken(); }
    /// Whether the server has closed the connection meanwhile. Costs a system call.
    bool closed_by_server() const noexcept;
    /// Whether this process was forked from the one that has connected. The child must not use the
    /// connection, and its destructor does not close it: a message on the shared socket would end
    /// the parent's session.
    bool belongs_to_parent() const noexcept;
    /// The number of statements sent whose results were not received yet.
    std::size_t unanswered() const noexcept { return sent_.size(); }
    bool in_transaction() const noexcept;
    /// Whether the results of a guarded BEGIN, and of what was sent with it, are still to come.
    bool begin_is_pending() const noexcept { return static_cast<bool>(pending_begin_.on_begun); }
    /// When the last results came.
    std::chrono::steady_clock::time_point answered_at() const noexcept { return answered_at_; }
    /// SQLSTATE of the last error that `receive` threw.
    const std::string& failed_state() const noexcept { return failed_state_; }

    /// The BEGIN of a transaction that writes, whatever the defaults of the database are.
    const std::string& begin_statement() const noexcept { return begin_statement_; }
    /// How a rollback to a savepoint begins. It undoes the failed statement, so it clears the first
    /// error of a guarded transaction.
    static constexpr std::string_view rollback_to = "ROLLBACK TO ";

    /// Guards the transaction whose BEGIN was just sent: once a statement in it has failed, the
    /// connection was lost, or a statement has ended the transaction itself, every further send
    /// throws that first error. Otherwise a caller that catches the error and goes on would run its
    /// next statements outside of the transaction, each committed on its own.
    ///
    /// `restart` rolls back and begins the same transaction again, guarded. `on_begun` receives the
    /// results of all that was sent with the BEGIN, when the next `receive` takes them.
    using BeginHandler = std::function<void(std::span<const Result> results)>;
    void guard_transaction(std::function<void()> restart, BeginHandler on_begun = {});
    /// Throws the first error of the guarded transaction, if there is one.
    void require_intact() const;
    /// Commits the transaction and ends its guard. Throws the first error if there is one, and the
    /// error of the commit.
    void commit();
    /// Rolls back if a transaction is open, and ends its guard. An error of the rollback is
    /// dropped: the caller is already handling the one that led here.
    void rollback() noexcept;
    /// The same without waiting for the result, which the next send takes from the connection.
    void rollback_async() noexcept;

    /// Calls `attempt`, which sends and receives. If a prepared statement turns out to be stale
    /// (the tables it reads were altered, or the server has dropped it), calls `attempt` a second
    /// time, in a restarted transaction. It does so only if nothing else was done in the
    /// transaction: the restart would lose it.
    template <class Attempt>
    auto with_fresh_statements(Attempt&& attempt) {
        const bool may_repeat = is_untouched();
        stale_ = false;
        try {
            return attempt();
        } catch (const Error&) {
            if (!stale_ || !may_repeat) throw;
        }
        if (guarded_) {
            restart_transaction();
        } else {
            rollback();
        }
        return attempt();
    }

    const ConnectionString& connection_string() const noexcept { return connection_string_; }
    const StoreOptions& options() const noexcept { return options_; }
    PGconn* handle() const noexcept { return connection_.get(); }

private:
    using Deadline = std::chrono::steady_clock::time_point;
    struct Finish {
        void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    };

    void connect(Deadline deadline);
    /// Receives what is outstanding and drops results and errors, so that a rollback can follow.
    void discard_results() noexcept;
    void check_server();
    void fetch_defaults();
    void send_settings(std::string_view statement);
    /// Waits until the socket can be read (or, with `write`, written). False at the deadline.
    bool wait(Deadline deadline, bool write);
    /// Waits until the next result has come. False at the deadline.
    bool wait_for_result(Deadline deadline);
    /// The next result, or null behind the last one of a statement.
    PGresult* next_result(Deadline deadline);
    /// The same for a script, which may run longer than the limits: while no result comes, asks on
    /// another connection whether the server is still working on it.
    PGresult* next_script_result();
    /// Whether the server is running a statement of this connection, by what it says on another.
    bool server_is_active() const noexcept;
    /// Waits for the result of `try_send_async`, if it is outstanding.
    void finish_async();
    void require(bool done, std::string_view what);
    /// Marks the connection broken and throws UnavailableError.
    [[noreturn]] void fail_lost(const std::string& why);
    Deadline answer_deadline() const;

    /// A statement, or the preparation of one, whose result is to come.
    struct Sent {
        std::string statement;
        Author author = Author::store;
        bool preparation = false;
        bool was_prepared = false;  ///< by an earlier use of the statement
    };
    /// A guarded BEGIN whose results are to come.
    struct PendingBegin {
        std::size_t results = 0;  ///< of the BEGIN and what was sent with it
        BeginHandler on_begun{};
    };
    /// The results of one `receive`, and its first failure.
    struct Received {
        std::vector<Result> results{};
        std::optional<Result> failed{};
        const Sent* failed_statement = nullptr;
        std::exception_ptr thrown{};  ///< by the row visitor
    };
    std::vector<Result> take_results(const RowVisitor& visit_row);
    /// Moves the results of a BEGIN from `results` to its handler.
    static void deliver_begin_results(const PendingBegin& pending_begin,
                                      std::vector<Result>& results);
    void take_results_of(const Sent& one, const RowVisitor* visit_row, Deadline deadline,
                         Received& received);
    void run_script(const Sent& script);
    /// Notes whether the connection is lost, unusable or has stale statements, and throws the
    /// error.
    [[noreturn]] void throw_failure(const Result& failed, const Sent& statement);
    /// Notes whether the statement has changed a schema or has ended the guarded transaction.
    void note_command_tag(std::string_view command_tag, const Sent& statement);
    /// Throws if a statement has ended the guarded transaction.
    void check_still_open(std::string_view statement);
    void note_first_error() noexcept;
    void end_guard() noexcept;
    /// Throws the first error instead if the transaction has ended.
    void clear_first_error();
    void require_own_process() const;
    bool is_untouched() const noexcept;
    void restart_transaction();

    /// The name of the prepared statement for this text and these parameter types; sends its
    /// preparation if there is none yet. Null if the statement is not to be prepared: behind a
    /// pooler (the next transaction may run on another connection of the server), or if it is too
    /// long.
    const char* prepared_name(std::string_view statement, Parameters& parameters, Author author);
    void prepare(Sent preparation, const std::string& name, Parameters& parameters);
    /// Drops all prepared statements, here at once and at the server before the next statement.
    void drop_prepared();
    void deallocate_prepared();

    const ConnectionString connection_string_;
    const StoreOptions options_;
    std::unique_ptr<PGconn, Finish> connection_;
    /// A prepared statement. A text is prepared once for each list of parameter types that it is
    /// used with.
    struct Prepared {
        std::vector<Oid> types;
        std::string name;
    };
    detail::ByText<std::vector<Prepared>> prepared_;
    std::size_t prepared_count_ = 0;
    std::uint64_t statement_names_used_ = 0;
    bool deallocate_pending_ = false;  ///< at the server, before the next statement
    std::vector<Sent> sent_;
    Settings settings_;
    const long process_id_;
    std::string begin_statement_{"BEGIN ISOLATION LEVEL READ COMMITTED"};
    /// Behind a pooler, if the server's defaults differ: does what `begin_statement_` does, as the
    /// first statement of a transaction that has no BEGIN. Empty otherwise.
    std::string set_transaction_;
    bool reads_only_ = false;
    std::string failed_state_;
    std::string async_result_;
    bool async_sent_ = false;
    bool broken_ = false;
    bool unusable_ = false;
    bool stale_ = false;  ///< the last failure was that of a stale prepared statement
    std::chrono::steady_clock::time_point answered_at_{};
    PendingBegin pending_begin_;

    // The guarded transaction.
    bool guarded_ = false;
    bool has_sent_ = false;  ///< something was sent after the BEGIN
    bool ended_ = false;     ///< by a statement
    std::exception_ptr first_error_;
    std::function<void()> restart_;
};

}  // namespace daybook::postgres
