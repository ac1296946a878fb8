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
#include "engine/postgres/place.hpp"
#include "engine/postgres/server_error.hpp"
#include "engine/postgres/session_settings.hpp"
#include "engine/postgres/values.hpp"
#include "values/text_hash.hpp"

namespace daybook::postgres {

/// What one statement answered. A row or a number that is not there is CorruptError: what the store
/// asks for is there in every store that is whole.
class Result {
public:
    explicit Result(PGresult* result) noexcept : result_(result) {}

    int rows() const noexcept { return PQntuples(result_.get()); }
    int columns() const noexcept { return PQnfields(result_.get()); }
    bool is_null(int row, int column) const noexcept {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    /// As it came: text, or the bytes of a binary result; empty for NULL.
    std::string_view text(int row, int column) const {
        const char* const value = PQgetvalue(result_.get(), row, column);
        if (value == nullptr) fail_missing();
        return {value, static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    // Of binary results.
    std::int64_t int8(int row, int column) const { return number<std::int64_t>(row, column); }
    std::int32_t int4(int row, int column) const { return number<std::int32_t>(row, column); }
    /// Nil for NULL.
    EventId id(int row, int column) const;
    /// False for NULL.
    bool boolean(int row, int column) const { return text(row, column) == "\1"; }
    /// The elements of an int8[] or int4[], 0 for NULL; none for NULL instead of an array.
    template <class Integer>
    std::vector<Integer> integers(int row, int column) const {
        return elements_of<Integer>(text(row, column));
    }

    Oid type(int column) const noexcept { return PQftype(result_.get(), column); }
    /// The table that the first column comes from, by its oid; 0 if it is computed.
    Oid table() const noexcept { return PQftable(result_.get(), 0); }
    const char* column_name(int column) const noexcept { return PQfname(result_.get(), column); }
    std::int64_t changed() const;
    /// What was done, in the server's word: `COMMIT`, `INSERT 0 1`.
    std::string_view done() const noexcept { return PQcmdStatus(result_.get()); }
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

/// One connection, with its statements kept prepared. Used by one thread at a time. Nothing waits
/// longer than the store's limits; a connection that was lost or did not answer in time stays
/// broken, one that leads to a server that cannot serve the store is unfit, and either is thrown
/// away by its owner.
///
/// Statements go out together and are answered together: `send` each, then `receive` once. Outside
/// of BEGIN and COMMIT all that is sent together is one transaction.
class Connection {
public:
    /// `own` are settings in which this connection differs from the store's others. Throws
    /// UnavailableError (no server, wrong password), NotFoundError (no such database).
    Connection(const Place& place, const StoreOptions& options, const Settings& own = {});
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `statement` has its parameters as `$1`, `$2` … The parameters are copied.
    void send(std::string_view statement, Parameters& parameters, Format format = Format::binary,
              Author author = Author::store);
    void send(std::string_view statement);
    using Look = std::function<void(const Result& row)>;
    /// One result for each statement sent since the last time. If one failed, throws its error,
    /// after all answers have come: the connection is in order then, unless `broken`. With `look`
    /// the last statement's rows are shown one by one as they come, each as a result of one row,
    /// while the server works on the next; what `look` throws is thrown at the end.
    std::vector<Result> receive(const Look& look = {});

    Result run(std::string_view statement, Parameters& parameters, Format format = Format::binary);
    Result run(std::string_view statement);
    /// Several statements without parameters.
    void script(const std::string& statements, Author author = Author::store);
    /// Sends statements without waiting for the answer. False if the last such answer is not there
    /// yet: then nothing was sent.
    bool try_tell(const std::string& statements) noexcept;
    /// The first field of the last row that such an answer brought, once it was taken: by anything
    /// that was sent after it. Empty before.
    const std::string& told() const noexcept { return told_; }

    /// What every transaction begins with behind a pooler; nothing otherwise.
    void send_settings();

    bool broken() const noexcept { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }
    /// Neither broken nor, by what the server has said, at another server's or another store's.
    bool fit() const noexcept { return !unfit_ && !broken(); }
    /// Whether the server has closed it meanwhile. Costs a system call.
    bool hung_up() const noexcept;
    /// Whether this process is the child of the one that has connected. It cannot be used there,
    /// and is left as it is at the end: it is the parent's.
    bool is_of_parent() const noexcept;
    /// How many statements were sent that nobody has received the results of.
    std::size_t unanswered() const noexcept { return sent_.size(); }
    bool in_transaction() const noexcept;
    /// Whether the transaction's BEGIN and what was sent along are still unanswered.
    bool is_opening() const noexcept { return static_cast<bool>(opening_.take); }
    /// When the server has answered last.
    std::chrono::steady_clock::time_point answered_at() const noexcept { return answered_at_; }
    /// SQLSTATE of the last error that `receive` threw.
    const std::string& failed_state() const noexcept { return failed_state_; }

    /// What a transaction that writes begins with, whatever the database's default is.
    const std::string& begin_statement() const noexcept { return begin_statement_; }
    /// What a rollback to a savepoint begins with: it undoes what has failed, so that the first
    /// error is forgiven.
    static constexpr std::string_view rollback_to = "ROLLBACK TO ";

    /// Guards the transaction whose BEGIN was just sent: once a statement in it has failed, the
    /// connection was lost, or a statement has ended the transaction itself, everything further is
    /// refused with that first error. Nothing can then go to the server on its own. `begin_again`
    /// rolls back and begins the same transaction anew, guarded. With `opened` the answers to all
    /// that was sent with the BEGIN go to it alone, once they come along with the next `receive`.
    using Opened = std::function<void(std::span<const Result> answers)>;
    void guard_transaction(std::function<void()> begin_again, Opened opened = {});
    /// Throws the first error of the guarded transaction, if there is one.
    void require_whole() const;
    /// Commits the transaction and ends its guard. Throws the first error if there is one, and
    /// whatever the commit throws.
    void commit();
    /// Rolls back if a transaction is open, and ends its guard; the first error is what matters,
    /// not this one's.
    void rollback() noexcept;
    /// The same without waiting for the answer, which the next to send something takes.
    void rollback_unwaited() noexcept;

    /// Calls `attempt`, which sends and receives. A second time if a prepared statement turned out
    /// to be stale, because somebody has changed the tables it reads or the server has forgotten
    /// it, and nothing else had been done in the transaction.
    template <class Attempt>
    auto with_fresh_statements(Attempt&& attempt) {
        const bool may_repeat = nothing_done();
        stale_ = false;
        try {
            return attempt();
        } catch (const Error&) {
            if (!stale_ || !may_repeat) throw;
        }
        if (guarded_) {
            begin_again();
        } else {
            rollback();
        }
        return attempt();
    }

    const Place& place() const noexcept { return place_; }
    const StoreOptions& options() const noexcept { return options_; }
    PGconn* handle() const noexcept { return connection_.get(); }

private:
    using Deadline = std::chrono::steady_clock::time_point;
    struct Finish {
        void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    };

    void connect(Deadline deadline);
    /// Takes what is still unanswered, good or bad, so that a rollback can follow.
    void drop_answers() noexcept;
    void check_server();
    void ask_defaults();
    void send_settings(std::string_view statement);
    /// Waits until the socket can be read (or written, if `write`). False at the deadline.
    bool wait(Deadline deadline, bool write);
    /// Waits until the next result is there. False at the deadline.
    bool await(Deadline deadline);
    /// The next result, or null at the end of one statement's.
    PGresult* next(Deadline deadline);
    /// The same without a deadline as long as the server is at work on it.
    PGresult* next_while_at_work();
    /// Whether the server is at work for this connection, as it says on another one.
    bool is_at_work() const noexcept;
    void finish_telling();
    void require(bool done, std::string_view what);
    [[noreturn]] void lose(const std::string& why);
    Deadline answer_deadline() const;

    /// What is waited for: a statement sent, or the preparation of one.
    struct Sent {
        std::string statement;
        Author author = Author::store;
        bool preparation = false;
        bool was_kept = false;  ///< prepared by an earlier use of it
    };
    /// What a transaction began with, until it was answered.
    struct Opening {
        std::size_t answers = 0;
        Opened take{};
    };
    /// Results, of which one may be a failure.
    struct Answers {
        std::vector<Result> results{};
        std::optional<Result> failed{};
        const Sent* failed_statement = nullptr;
        std::exception_ptr thrown{};  ///< by a look
    };
    std::vector<Result> take_answers(const Look& look);
    /// Shows the answers to what a transaction began with to whom they are for.
    static void take_opening(const Opening& opening, std::vector<Result>& answers);
    void take_answer(const Sent& one, const Look* look, Deadline deadline, Answers& answers);
    void run_script(const Sent& script);
    /// Notes what a failure says about the connection and its statements, and throws it.
    [[noreturn]] void fail_for(const Result& failed, const Sent& statement);
    /// Notes what a statement says about others: `done` is the server's word for what it did.
    void note_done(std::string_view done, const Sent& statement);
    /// Throws if a statement has ended the guarded transaction.
    void check_still_open(std::string_view statement);
    void note_first_error() noexcept;
    void end_guard() noexcept;
    /// Throws the first error if the transaction is no longer there.
    void forgive();
    void require_own_process() const;
    bool nothing_done() const noexcept;
    void begin_again();

    /// The name of the statement kept for this text and these types; null if none is kept: behind a
    /// pooler, or for a long text.
    const char* prepared(std::string_view statement, Parameters& parameters, Author author);
    void prepare(Sent preparation, const std::string& name, Parameters& parameters);
    /// Drops all prepared statements, here at once and at the server before the next message.
    void forget_prepared();
    void make_server_forget();

    const Place place_;
    const StoreOptions options_;
    std::unique_ptr<PGconn, Finish> connection_;
    /// A prepared statement. Its types do not depend on what was given before: each text is
    /// prepared for each list of types that it is used with.
    struct Prepared {
        std::vector<Oid> types;
        std::string name;
    };
    detail::ByText<std::vector<Prepared>> prepared_;
    std::size_t prepared_count_ = 0;
    std::uint64_t names_given_ = 0;
    bool forgets_ = false;  ///< the server is to drop the statements that it keeps
    std::vector<Sent> sent_;
    Settings settings_;
    const long process_;
    std::string begin_statement_{"BEGIN ISOLATION LEVEL READ COMMITTED"};
    std::string set_transaction_;  ///< behind a pooler: the same where there is no BEGIN
    bool reads_only_ = false;
    std::string failed_state_;
    std::string told_;
    bool telling_ = false;
    bool broken_ = false;
    bool unfit_ = false;
    bool stale_ = false;  ///< the last failure was a stale statement's
    std::chrono::steady_clock::time_point answered_at_{};
    Opening opening_;

    // The guard.
    bool guarded_ = false;
    bool touched_ = false;  ///< something was sent in the transaction
    bool ended_ = false;    ///< by a statement
    std::exception_ptr first_error_;
    std::function<void()> begin_again_;
};

}  // namespace daybook::postgres
