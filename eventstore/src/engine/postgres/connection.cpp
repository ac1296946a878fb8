#include "engine/postgres/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int server_version_min = 130000;
constexpr std::chrono::milliseconds connect_wait_min{1'000};
constexpr std::chrono::milliseconds activity_check_wait_min{5'000};
constexpr std::size_t statements_kept_max = 500;
constexpr std::size_t kept_statement_bytes_max = 16 * 1024;

constexpr std::string_view is_active =
    "SELECT EXISTS(SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint AND state = 'active')";

constexpr std::string_view set_for_connection =
    "SELECT set_config(name, value, false) FROM unnest($1, $2) AS setting(name, value)";
constexpr std::string_view set_for_transaction =
    "SELECT set_config(name, value, true) FROM unnest($1, $2) AS setting(name, value)";

/// Makes the server's process allocate and free a megabyte once. From then on its C library keeps
/// up to two megabytes of freed memory (mallopt(3), M_TRIM_THRESHOLD). Its initial limit is 128
/// KiB, and the index scans of an append need more: each call would return the memory to the system
/// and fetch it again.
constexpr std::string_view keep_memory = "SELECT length(repeat('x', 1048576))";

template <class Call>
std::exception_ptr thrown_by(Call&& call) noexcept {
    try {
        call();
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

/// Whether the statement may have changed a table that prepared statements read.
bool is_schema_change(std::string_view command_tag) {
    return command_tag.starts_with("ALTER") || command_tag.starts_with("DROP") ||
           command_tag.starts_with("CREATE");
}

}  // namespace

void Result::fail_missing() {
    throw CorruptError(
        "the server's answer lacks a row or a value that every store has, as after a dump without "
        "data or a restore that is not done: finish the restore, or restore the store from a "
        "backup");
}

EventId Result::id(int row, int column) const {
    EventId::Bytes bytes{};
    const std::string_view stored = text(row, column);
    if (stored.size() == bytes.size()) {
        std::copy(stored.begin(), stored.end(), reinterpret_cast<char*>(bytes.data()));
    }
    return EventId{bytes};
}

std::int64_t Result::affected_rows() const {
    // A SELECT and a CREATE TABLE AS also report a number of rows.
    constexpr std::string_view changes[] = {"INSERT", "UPDATE", "DELETE", "MERGE"};
    const auto begins = [&](std::string_view word) { return command_tag().starts_with(word); };
    if (std::ranges::none_of(changes, begins)) return 0;
    const std::string_view count = PQcmdTuples(result_.get());
    std::int64_t changed = 0;
    std::from_chars(count.data(), count.data() + count.size(), changed);
    return changed;
}

Connection::Connection(const ConnectionString& connection_string, const StoreOptions& options,
                       const Settings& own)
    : connection_string_(connection_string), options_(options), process_id_(::getpid()) {
    // `busy_wait_max` may be zero, to not wait for other writers. Connecting takes time all the
    // same.
    connect(deadline_after(std::max(options_.busy_wait_max, connect_wait_min)));
    check_server();
    settings_ = session_settings(connection_string_, options_, PQserverVersion(handle()));
    for (const auto& [name, value] : own) {
        reads_only_ = reads_only_ || (name.ends_with("transaction_read_only") && value == "on");
    }
    settings_.insert(settings_.end(), own.begin(), own.end());
    if (connection_string_.pooled) {
        fetch_defaults();
    } else {
        send_settings(set_for_connection);
        send(keep_memory);
        receive();
    }
}

Connection::~Connection() {
    if (belongs_to_parent()) static_cast<void>(connection_.release());
}

bool Connection::closed_by_server() const noexcept {
    pollfd socket{PQsocket(handle()), POLLRDHUP, 0};
    return ::poll(&socket, 1, 0) > 0;
}

bool Connection::belongs_to_parent() const noexcept { return ::getpid() != process_id_; }

void Connection::require_own_process() const {
    if (!belongs_to_parent()) return;
    throw InvalidError("store '" + connection_string_.name +
                       "': it was opened before this process was forked off: open it again here");
}

void Connection::fetch_defaults() {
    send(
        "SELECT current_setting('default_transaction_isolation') <> 'read committed', "
        "current_setting('default_transaction_read_only')::boolean");
    const Result defaults = std::move(receive().back());
    if (defaults.boolean(0, 1) && !reads_only_) begin_statement_ += " READ WRITE";
    if (!defaults.boolean(0, 0) && !defaults.boolean(0, 1)) return;
    set_transaction_ = "SET TRANSACTION" + begin_statement_.substr(begin_statement_.find(' '));
}

void Connection::connect(Deadline deadline) {
    // The encoding is sent with the first message. libpq's call that sets it later waits for the
    // server without a deadline.
    const char* const keywords[] = {"dbname", "client_encoding", nullptr};
    const char* const values[] = {connection_string_.conninfo.c_str(), "UTF8", nullptr};
    connection_.reset(PQconnectStartParams(keywords, values, 1));
    if (!connection_)
        throw UnavailableError("store '" + connection_string_.name + "': out of memory");
    PQsetErrorVerbosity(handle(), PQERRORS_VERBOSE);
    auto state = PGRES_POLLING_WRITING;
    while (PQstatus(handle()) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) break;
        if (!wait(deadline, state == PGRES_POLLING_WRITING)) {
            throw UnavailableError("store '" + connection_string_.name +
                                   "': no answer from the server within " +
                                   std::to_string(options_.busy_wait_max.count()) +
                                   " ms: check that it runs and can be reached");
        }
        state = PQconnectPoll(handle());
    }
    if (PQstatus(handle()) != CONNECTION_OK) fail_to_connect(connection_string_, handle());
    PQsetErrorVerbosity(handle(), PQERRORS_DEFAULT);
    PQsetnonblocking(handle(), 1);
    PQsetNoticeProcessor(handle(), [](void*, const char*) {}, nullptr);
}

void Connection::check_server() {
    const int version = PQserverVersion(handle());
    if (version < server_version_min) {
        throw UnavailableError("store '" + connection_string_.name +
                               "': the server is PostgreSQL " + std::to_string(version / 10000) +
                               " and Daybook needs 13 or newer: use a newer server");
    }
    const char* const encoding = PQparameterStatus(handle(), "server_encoding");
    if (encoding == nullptr || std::string_view{encoding} != "UTF8") {
        throw InvalidError("store '" + connection_string_.name + "': the database's encoding is " +
                           (encoding == nullptr ? "unknown" : encoding) +
                           " and has to be UTF8: create the database with ENCODING 'UTF8'");
    }
}

void Connection::send_settings() {
    if (!connection_string_.pooled) return;
    // The statements sent together are a transaction without a BEGIN. SET TRANSACTION has to be the
    // first of them.
    if (!set_transaction_.empty() && !in_transaction() && sent_.empty()) send(set_transaction_);
    send_settings(set_for_transaction);
}

void Connection::send_settings(std::string_view statement) {
    Array names{type::text};
    Array values{type::text};
    for (const auto& [name, value] : settings_) {
        names.add(std::string_view{name});
        values.add(std::string_view{value});
    }
    Parameters parameters;
    parameters.add(names, type::text_array).add(values, type::text_array);
    send(statement, parameters);
}

bool Connection::wait(Deadline deadline, bool write) {
    while (true) {
        // In pieces of an hour, because poll() takes an int of milliseconds.
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::min<SteadyClock::duration>(deadline - SteadyClock::now(), std::chrono::hours{1}));
        if (left.count() < 0) return false;
        pollfd socket{PQsocket(handle()), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
        const int ready = ::poll(&socket, 1, static_cast<int>(left.count()) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) fail_lost("the connection's socket has failed");
    }
}

Connection::Deadline Connection::answer_deadline() const {
    // The server itself stops waiting for a lock after `busy_wait_max` and sends an error. A
    // shorter deadline would give up a connection that works.
    return SteadyClock::now() + options_.reply_wait_max + options_.busy_wait_max;
}

PGresult* Connection::next_result(Deadline deadline) {
    if (wait_for_result(deadline)) return PQgetResult(handle());
    fail_lost("no answer within " +
              std::to_string((options_.reply_wait_max + options_.busy_wait_max).count()) + " ms");
}

PGresult* Connection::next_script_result() {
    while (!wait_for_result(answer_deadline())) {
        if (!server_is_active()) fail_lost("no answer, and the server is not at work on one");
    }
    return PQgetResult(handle());
}

bool Connection::wait_for_result(Deadline deadline) {
    while (true) {
        const int unsent = PQflush(handle());
        if (unsent < 0) fail_lost(std::string(trimmed(PQerrorMessage(handle()))));
        if (PQisBusy(handle()) == 0) return true;
        if (!wait(deadline, unsent > 0)) return false;
        if (PQconsumeInput(handle()) == 0)
            fail_lost(std::string(trimmed(PQerrorMessage(handle()))));
    }
}

bool Connection::server_is_active() const noexcept {
    // A pooler reports a process id of its own, not that of the server's process.
    if (connection_string_.pooled) return false;
    try {
        // If this check timed out on a slow server, a connection that works would be given up.
        StoreOptions patient = options_;
        patient.reply_wait_max = std::max(patient.reply_wait_max, activity_check_wait_min);
        Connection other{connection_string_, patient};
        Parameters process;
        process.add(std::int64_t{PQbackendPID(handle())});
        return other.run(is_active, process).boolean(0, 0);
    } catch (const Error&) {
        return false;
    }
}

void Connection::fail_lost(const std::string& why) {
    broken_ = true;
    sent_.clear();
    pending_begin_ = {};
    throw UnavailableError("store '" + connection_string_.name + "': the connection was lost: " +
                           why + ": check that the server runs, and try again");
}

void Connection::require(bool done, std::string_view what) {
    if (!done) {
        fail_lost(std::string(what) + ": " + std::string(trimmed(PQerrorMessage(handle()))));
    }
}

const char* Connection::prepared_name(std::string_view statement, Parameters& parameters,
                                      Author author) {
    if (connection_string_.pooled || statement.size() > kept_statement_bytes_max) return nullptr;
    const auto same_types = [&](const Prepared& kept) {
        return std::equal(kept.types.begin(), kept.types.end(), parameters.types(),
                          parameters.types() + parameters.size());
    };
    const auto found = prepared_.find(statement);
    if (found != prepared_.end()) {
        const auto kept = std::ranges::find_if(found->second, same_types);
        if (kept != found->second.end()) return kept->name.c_str();
    }
    if (prepared_count_ >= statements_kept_max) deallocate_pending_ = true;
    const std::string name = "d" + std::to_string(++statement_names_used_);
    prepare({.statement = std::string(statement), .author = author, .preparation = true}, name,
            parameters);
    auto& of_text = prepared_[std::string(statement)];
    of_text.push_back({{parameters.types(), parameters.types() + parameters.size()}, name});
    ++prepared_count_;
    return of_text.back().name.c_str();
}

void Connection::prepare(Sent preparation, const std::string& name, Parameters& parameters) {
    require(PQsendPrepare(handle(), name.c_str(), preparation.statement.c_str(), parameters.size(),
                          parameters.types()) != 0,
            "a statement cannot be sent");
    sent_.push_back(std::move(preparation));
}

void Connection::drop_prepared() {
    prepared_.clear();
    prepared_count_ = 0;
    deallocate_pending_ = true;
}

void Connection::deallocate_prepared() {
    // A failed transaction accepts only its end. The statements can stay until it has ended: names
    // are never used twice.
    if (PQtransactionStatus(handle()) == PQTRANS_INERROR) return;
    drop_prepared();
    deallocate_pending_ = false;
    constexpr const char* forget_all = "DEALLOCATE ALL";
    require(PQsendQueryParams(handle(), forget_all, 0, nullptr, nullptr, nullptr, nullptr, 0),
            "a statement cannot be sent");
    sent_.push_back({.statement = forget_all, .preparation = true});
    // The result is taken before anything else is sent. In the same pipeline, a BEGIN behind this
    // statement would come too late to choose the isolation level.
    take_results({});
}

void Connection::send(std::string_view statement) {
    Parameters none;
    send(statement, none);
}

void Connection::send(std::string_view statement, Parameters& parameters, Format format,
                      Author author) {
    require_own_process();
    if (statement.starts_with(rollback_to)) {
        clear_first_error();
    } else {
        require_intact();
    }
    has_sent_ = true;
    finish_async();
    require(PQenterPipelineMode(handle()) != 0, "a statement cannot be sent");
    if (deallocate_pending_ && unanswered() == 0) deallocate_prepared();
    const std::uint64_t names_before = statement_names_used_;
    int sent = 0;
    const char* const name = prepared_name(statement, parameters, author);
    if (name != nullptr) {
        sent = PQsendQueryPrepared(handle(), name, parameters.size(), parameters.values(),
                                   parameters.lengths(), parameters.formats(),
                                   static_cast<int>(format));
    } else {
        sent = PQsendQueryParams(handle(), std::string(statement).c_str(), parameters.size(),
                                 parameters.types(), parameters.values(), parameters.lengths(),
                                 parameters.formats(), static_cast<int>(format));
    }
    require(sent != 0, "a statement cannot be sent");
    const bool was_prepared = name != nullptr && statement_names_used_ == names_before;
    sent_.push_back(
        {.statement = std::string(statement), .author = author, .was_prepared = was_prepared});
}

std::vector<Result> Connection::receive(const RowVisitor& visit_row) {
    try {
        return take_results(visit_row);
    } catch (...) {
        note_first_error();
        throw;
    }
}

std::vector<Result> Connection::take_results(const RowVisitor& visit_row) {
    require(PQpipelineSync(handle()) != 0, "a statement cannot be sent");
    const auto deadline = answer_deadline();
    const std::vector<Sent> sent = std::exchange(sent_, {});
    const PendingBegin pending_begin = std::exchange(pending_begin_, {});
    Received received;
    for (const Sent& one : sent) {
        const bool shows = visit_row && !received.failed && &one == &sent.back();
        take_results_of(one, shows ? &visit_row : nullptr, deadline, received);
        if (PQstatus(handle()) != CONNECTION_OK) break;
    }
    if (PQstatus(handle()) == CONNECTION_OK) {
        const Result sync{next_result(deadline)};
        answered_at_ = SteadyClock::now();
    }
    deliver_begin_results(pending_begin, received.results);
    if (received.failed) throw_failure(*received.failed, *received.failed_statement);
    if (PQstatus(handle()) != CONNECTION_OK) {
        fail_lost(std::string(trimmed(PQerrorMessage(handle()))));
    }
    if (guarded_) check_still_open(sent.empty() ? "" : sent.back().statement);
    if (received.thrown) std::rethrow_exception(received.thrown);
    return std::move(received.results);
}

void Connection::deliver_begin_results(const PendingBegin& pending_begin,
                                       std::vector<Result>& results) {
    if (!pending_begin.on_begun || results.size() < pending_begin.results) return;
    pending_begin.on_begun({results.data(), pending_begin.results});
    results.erase(results.begin(),
                  results.begin() + static_cast<std::ptrdiff_t>(pending_begin.results));
}

void Connection::take_results_of(const Sent& one, const RowVisitor* visit_row, Deadline deadline,
                                 Received& received) {
    bool good = true;
    if (visit_row != nullptr) {
        require(PQsetSingleRowMode(handle()) != 0, "rows cannot be taken one by one");
    }
    while (PGresult* const taken = next_result(deadline)) {
        Result result{taken};
        const auto status = PQresultStatus(taken);
        if (status == PGRES_SINGLE_TUPLE) {
            if (!received.thrown) received.thrown = thrown_by([&] { (*visit_row)(result); });
            continue;
        }
        good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (!good && !received.failed && status != PGRES_PIPELINE_ABORTED) {
            received.failed = std::move(result);
            received.failed_statement = &one;
        } else if (good && !one.preparation) {
            note_command_tag(result.command_tag(), one);
            received.results.push_back(std::move(result));
        }
    }
    if (!good && one.preparation) prepared_.erase(one.statement);
}

void Connection::throw_failure(const Result& failed, const Sent& statement) {
    failed_state_ = sql_state_of(failed.get());
    const char* const severity = PQresultErrorField(failed.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    // Before it closes a connection the server sends an error of class 57P, or of a severity above
    // ERROR.
    const bool lost = failed_state_.empty() || failed_state_.starts_with("57P") ||
                      (severity != nullptr && std::string_view{severity} != "ERROR");
    if (lost || PQstatus(handle()) != CONNECTION_OK) broken_ = true;
    stale_ = (statement.was_prepared && (failed_state_ == "0A000" || failed_state_ == "26000")) ||
             (statement.preparation && failed_state_ == "42P05");
    if (stale_) drop_prepared();
    const Failure failure{statement.statement, statement.author, reads_only_, stale_};
    unusable_ = unusable_ || is_read_only_server(failed_state_, failure) ||
                is_store_missing(failed_state_, failure) || failed_state_ == "XX000";
    fail(connection_string_, failed.get(), failure);
}

void Connection::note_command_tag(std::string_view command_tag, const Sent& statement) {
    if (is_schema_change(command_tag)) drop_prepared();
    const bool ends = command_tag == "COMMIT" || command_tag == "PREPARE TRANSACTION" ||
                      (command_tag == "ROLLBACK" && !statement.statement.starts_with(rollback_to));
    if (guarded_ && ends) ended_ = true;
}

void Connection::check_still_open(std::string_view statement) {
    if (!ended_ && PQtransactionStatus(handle()) == PQTRANS_INTRANS) return;
    ended_ = true;
    constexpr std::size_t shown_max = 300;
    throw InvalidError("store '" + connection_string_.name +
                       "': a statement has ended the transaction that it was given: leave COMMIT "
                       "and ROLLBACK to the store: " +
                       std::string(statement.substr(0, shown_max)));
}

void Connection::guard_transaction(std::function<void()> restart, BeginHandler on_begun) {
    guarded_ = true;
    has_sent_ = false;
    ended_ = false;
    first_error_ = nullptr;
    restart_ = std::move(restart);
    const auto results = std::ranges::count(sent_, false, &Sent::preparation);
    pending_begin_ = {static_cast<std::size_t>(results), std::move(on_begun)};
}

void Connection::end_guard() noexcept {
    guarded_ = false;
    ended_ = false;
    first_error_ = nullptr;
}

void Connection::require_intact() const {
    if (first_error_) std::rethrow_exception(first_error_);
}

void Connection::note_first_error() noexcept {
    if (!guarded_ || first_error_) return;
    if (!ended_ && !broken() && PQtransactionStatus(handle()) == PQTRANS_INTRANS) return;
    first_error_ = std::current_exception();
}

void Connection::clear_first_error() {
    discard_results();
    if (ended_ || broken()) require_intact();
    first_error_ = nullptr;
}

bool Connection::is_untouched() const noexcept {
    if (guarded_) return !has_sent_ && !first_error_;
    return !in_transaction() && sent_.empty();
}

void Connection::restart_transaction() {
    try {
        const auto restart = restart_;
        restart();
    } catch (...) {
        // No transaction is open. Without the guard, the caller's next statement would run outside
        // of one and be committed on its own.
        guarded_ = true;
        first_error_ = std::current_exception();
        throw;
    }
}

void Connection::commit() {
    require_intact();
    end_guard();
    const Result committed = run("COMMIT");
    if (committed.command_tag() == "COMMIT") return;
    throw InvalidError("store '" + connection_string_.name +
                       "': a statement of this transaction has failed, so it cannot be committed: "
                       "let the statement's error pass");
}

Result Connection::run(std::string_view statement, Parameters& parameters, Format format) {
    send(statement, parameters, format);
    return std::move(receive().back());
}

Result Connection::run(std::string_view statement) {
    Parameters none;
    return run(statement, none);
}

void Connection::script(const std::string& statements, Author author) {
    require_own_process();
    require_intact();
    has_sent_ = true;
    try {
        run_script({.statement = statements, .author = author});
    } catch (...) {
        note_first_error();
        throw;
    }
}

void Connection::run_script(const Sent& script) {
    finish_async();
    if (unanswered() > 0) take_results({});
    require(PQexitPipelineMode(handle()) != 0, "a script cannot be sent");
    require(PQsendQuery(handle(), script.statement.c_str()) != 0, "a script cannot be sent");
    std::optional<Result> failed;
    // A script may take longer than the limits, for example to build a large index.
    while (PGresult* const taken = next_script_result()) {
        Result result{taken};
        const auto status = PQresultStatus(taken);
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (good) note_command_tag(result.command_tag(), script);
        if (!good && !failed) failed = std::move(result);
    }
    if (failed) throw_failure(*failed, script);
    if (guarded_) check_still_open(script.statement);
}

bool Connection::try_send_async(const std::string& statements) noexcept {
    try {
        if (broken() || belongs_to_parent()) return false;
        if (async_sent_) {
            if (PQconsumeInput(handle()) == 0 || PQisBusy(handle()) != 0) return false;
            finish_async();
        }
        if (PQexitPipelineMode(handle()) == 0) return false;
        if (PQsendQuery(handle(), statements.c_str()) == 0) return false;
        async_sent_ = true;
        PQflush(handle());
        return true;
    } catch (const Error&) {
        return false;
    }
}

void Connection::finish_async() {
    if (!async_sent_) return;
    async_sent_ = false;
    const auto deadline = answer_deadline();
    while (PGresult* const taken = next_result(deadline)) {
        const Result result{taken};
        if (result.rows() > 0) async_result_ = result.text(0, 0);
    }
}

bool Connection::in_transaction() const noexcept {
    const auto status = PQtransactionStatus(handle());
    return begin_is_pending() || status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void Connection::discard_results() noexcept {
    try {
        if (unanswered() > 0) receive();
    } catch (const Error&) {
        // The error of a statement that is rolled back does not matter any more.
    }
}

void Connection::rollback() noexcept {
    end_guard();
    if (belongs_to_parent()) return;
    discard_results();
    try {
        if (!broken() && in_transaction()) run("ROLLBACK");
    } catch (const Error&) {
        broken_ = true;
    }
}

void Connection::rollback_async() noexcept {
    end_guard();
    if (belongs_to_parent()) return;
    discard_results();
    if (!in_transaction() || try_send_async("ROLLBACK")) return;
    rollback();
}

}  // namespace daybook::postgres
