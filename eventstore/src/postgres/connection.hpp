#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <libpq-fe.h>

#include "daybook/eventstore/engine.hpp"
#include "postgres/place.hpp"
#include "postgres/values.hpp"
#include "text_hash.hpp"

namespace daybook::postgres {

/// What one statement answered.
class Result {
public:
    explicit Result(PGresult* result) noexcept : result_(result) {}

    int rows() const noexcept { return PQntuples(result_.get()); }
    int columns() const noexcept { return PQnfields(result_.get()); }
    bool is_null(int row, int column) const noexcept {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    /// As it came: text, or the bytes of a binary result.
    std::string_view text(int row, int column) const noexcept {
        return {PQgetvalue(result_.get(), row, column),
                static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
    }
    // Of binary results.
    std::int64_t int8(int row, int column) const noexcept {
        return get_integer<std::int64_t>(PQgetvalue(result_.get(), row, column));
    }
    std::int32_t int4(int row, int column) const noexcept {
        return get_integer<std::int32_t>(PQgetvalue(result_.get(), row, column));
    }
    /// Nil for NULL.
    EventId id(int row, int column) const noexcept;
    /// False for NULL.
    bool boolean(int row, int column) const noexcept { return text(row, column) == "\1"; }
    /// The elements of an int8[] or int4[], 0 for NULL; none for NULL instead of an array.
    template <class Integer>
    std::vector<Integer> integers(int row, int column) const {
        return elements_of<Integer>(text(row, column));
    }

    Oid type(int column) const noexcept { return PQftype(result_.get(), column); }
    const char* column_name(int column) const noexcept { return PQfname(result_.get(), column); }
    std::int64_t changed() const;
    PGresult* get() const noexcept { return result_.get(); }

private:
    struct Clear {
        void operator()(PGresult* result) const noexcept { PQclear(result); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

enum class Format : int { text = 0, binary = 1 };

/// One connection, with its statements kept prepared. Used by one thread at a time. Nothing waits
/// longer than the store's limits; a connection that was lost or did not answer in time stays
/// broken and is thrown away by its owner.
///
/// Statements go out together and are answered together: `send` each, then `receive` once. Outside
/// of BEGIN and COMMIT all that is sent together is one transaction.
class Connection {
public:
    /// Names and values.
    using Settings = std::vector<std::pair<std::string, std::string>>;

    /// `own` are settings in which this connection differs from the store's others. Throws
    /// UnavailableError (no server, wrong password), NotFoundError (no such database).
    Connection(const Place& place, const EngineOptions& options, const Settings& own = {});
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `statement` has its parameters as `$1`, `$2` … The parameters are copied.
    void send(std::string_view statement, Parameters& parameters, Format format = Format::binary);
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
    void script(const std::string& statements);
    /// Sends statements without waiting for the answer. False if the last such answer is not there
    /// yet: then nothing was sent.
    bool try_tell(const std::string& statements) noexcept;
    /// The first field of the last row that such an answer brought, once it was taken: by anything
    /// that was sent after it. Empty before.
    const std::string& told() const noexcept { return told_; }

    /// What every transaction begins with behind a pooler; nothing otherwise.
    void send_settings();

    bool broken() const noexcept { return broken_ || PQstatus(connection_.get()) != CONNECTION_OK; }
    /// How many statements were sent that nobody has received the results of.
    std::size_t unanswered() const noexcept { return sent_.size(); }
    bool in_transaction() const noexcept;
    /// SQLSTATE of the last error that `receive` threw.
    const std::string& failed_state() const noexcept { return failed_state_; }
    /// Rolls back if a transaction is open; the first error is what matters, not this one's.
    void rollback() noexcept;
    /// The same without waiting for the answer, which the next to send something takes.
    void rollback_unwaited() noexcept;

    const Place& place() const noexcept { return place_; }
    const EngineOptions& options() const noexcept { return options_; }
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
    /// The name of the statement kept for this text; null if none is kept: behind a pooler, or when
    /// there are too many.
    const char* prepared(std::string_view statement, Parameters& parameters);

    const Place place_;
    const EngineOptions options_;
    std::unique_ptr<PGconn, Finish> connection_;
    detail::ByText<std::string> prepared_;  ///< the name of each by its text
    /// What is waited for: the text of each statement sent, and whether it is a preparation.
    struct Sent {
        std::string statement;
        bool preparation;
    };
    std::vector<Sent> sent_;
    Settings settings_;
    std::string failed_state_;
    std::string told_;
    bool telling_ = false;
    bool broken_ = false;
};

/// Throws the typed error for a failed result, by its SQLSTATE.
[[noreturn]] void fail(const Place& place, const PGresult* result, std::string_view statement);

}  // namespace daybook::postgres
