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
constexpr std::chrono::milliseconds look_wait_min{5'000};
constexpr std::size_t statements_kept_max = 500;
constexpr std::size_t kept_statement_bytes_max = 16 * 1024;

constexpr std::string_view is_active =
    "SELECT EXISTS(SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint AND state = 'active')";

constexpr std::string_view set_for_connection =
    "SELECT set_config(name, value, false) FROM unnest($1, $2) AS setting(name, value)";
constexpr std::string_view set_for_transaction =
    "SELECT set_config(name, value, true) FROM unnest($1, $2) AS setting(name, value)";

/// Asks for a megabyte once, and gives it back. The C library of the server's process then keeps
/// two of them (mallopt(3), M_TRIM_THRESHOLD). Before, it keeps 128 KiB, and what an append takes
/// for its index scans is more: it goes back to the system with every call.
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

/// Changes what other statements read or answer.
bool is_definition(std::string_view done) {
    return done.starts_with("ALTER") || done.starts_with("DROP") || done.starts_with("CREATE");
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

std::int64_t Result::changed() const {
    // A SELECT, or a table made of one, counts rows as well.
    constexpr std::string_view changes[] = {"INSERT", "UPDATE", "DELETE", "MERGE"};
    const auto begins = [&](std::string_view word) { return done().starts_with(word); };
    if (std::ranges::none_of(changes, begins)) return 0;
    const std::string_view count = PQcmdTuples(result_.get());
    std::int64_t changed = 0;
    std::from_chars(count.data(), count.data() + count.size(), changed);
    return changed;
}

Connection::Connection(const Place& place, const StoreOptions& options, const Settings& own)
    : place_(place), options_(options), process_(::getpid()) {
    // Who does not wait for others waits for the server all the same.
    connect(deadline_after(std::max(options_.busy_wait_max, connect_wait_min)));
    check_server();
    settings_ = session_settings(place_, options_, PQserverVersion(handle()));
    for (const auto& [name, value] : own) {
        reads_only_ = reads_only_ || (name.ends_with("transaction_read_only") && value == "on");
    }
    settings_.insert(settings_.end(), own.begin(), own.end());
    if (place_.pooled) {
        ask_defaults();
    } else {
        send_settings(set_for_connection);
        send(keep_memory);
        receive();
    }
}

Connection::~Connection() {
    if (is_of_parent()) static_cast<void>(connection_.release());
}

bool Connection::hung_up() const noexcept {
    pollfd socket{PQsocket(handle()), POLLRDHUP, 0};
    return ::poll(&socket, 1, 0) > 0;
}

bool Connection::is_of_parent() const noexcept { return ::getpid() != process_; }

void Connection::require_own_process() const {
    if (!is_of_parent()) return;
    throw InvalidError("store '" + place_.name +
                       "': it was opened before this process was forked off: open it again here");
}

void Connection::ask_defaults() {
    send(
        "SELECT current_setting('default_transaction_isolation') <> 'read committed', "
        "current_setting('default_transaction_read_only')::boolean");
    const Result defaults = std::move(receive().back());
    if (defaults.boolean(0, 1) && !reads_only_) begin_statement_ += " READ WRITE";
    if (!defaults.boolean(0, 0) && !defaults.boolean(0, 1)) return;
    set_transaction_ = "SET TRANSACTION" + begin_statement_.substr(begin_statement_.find(' '));
}

void Connection::connect(Deadline deadline) {
    // The encoding goes with the first message: to set it later libpq would wait without a
    // deadline.
    const char* const keywords[] = {"dbname", "client_encoding", nullptr};
    const char* const values[] = {place_.conninfo.c_str(), "UTF8", nullptr};
    connection_.reset(PQconnectStartParams(keywords, values, 1));
    if (!connection_) throw UnavailableError("store '" + place_.name + "': out of memory");
    PQsetErrorVerbosity(handle(), PQERRORS_VERBOSE);
    auto state = PGRES_POLLING_WRITING;
    while (PQstatus(handle()) != CONNECTION_BAD && state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED) break;
        if (!wait(deadline, state == PGRES_POLLING_WRITING)) {
            throw UnavailableError("store '" + place_.name +
                                   "': no answer from the server within " +
                                   std::to_string(options_.busy_wait_max.count()) +
                                   " ms: check that it runs and can be reached");
        }
        state = PQconnectPoll(handle());
    }
    if (PQstatus(handle()) != CONNECTION_OK) fail_to_connect(place_, handle());
    PQsetErrorVerbosity(handle(), PQERRORS_DEFAULT);
    PQsetnonblocking(handle(), 1);
    PQsetNoticeProcessor(handle(), [](void*, const char*) {}, nullptr);
}

void Connection::check_server() {
    const int version = PQserverVersion(handle());
    if (version < server_version_min) {
        throw UnavailableError("store '" + place_.name + "': the server is PostgreSQL " +
                               std::to_string(version / 10000) +
                               " and Daybook needs 13 or newer: use a newer server");
    }
    const char* const encoding = PQparameterStatus(handle(), "server_encoding");
    if (encoding == nullptr || std::string_view{encoding} != "UTF8") {
        throw InvalidError("store '" + place_.name + "': the database's encoding is " +
                           (encoding == nullptr ? "unknown" : encoding) +
                           " and has to be UTF8: create the database with ENCODING 'UTF8'");
    }
}

void Connection::send_settings() {
    if (!place_.pooled) return;
    // A transaction that no BEGIN has begun: its first statement is this one.
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
        // In pieces, as poll() cannot wait for longer than its int of milliseconds.
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::min<SteadyClock::duration>(deadline - SteadyClock::now(), std::chrono::hours{1}));
        if (left.count() < 0) return false;
        pollfd socket{PQsocket(handle()), static_cast<short>(write ? POLLIN | POLLOUT : POLLIN), 0};
        const int ready = ::poll(&socket, 1, static_cast<int>(left.count()) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) lose("the connection's socket has failed");
    }
}

Connection::Deadline Connection::answer_deadline() const {
    // The server gives up waiting for a lock by itself, and says so.
    return SteadyClock::now() + options_.reply_wait_max + options_.busy_wait_max;
}

PGresult* Connection::next(Deadline deadline) {
    if (await(deadline)) return PQgetResult(handle());
    lose("no answer within " +
         std::to_string((options_.reply_wait_max + options_.busy_wait_max).count()) + " ms");
}

PGresult* Connection::next_while_at_work() {
    while (!await(answer_deadline())) {
        if (!is_at_work()) lose("no answer, and the server is not at work on one");
    }
    return PQgetResult(handle());
}

bool Connection::await(Deadline deadline) {
    while (true) {
        const int unsent = PQflush(handle());
        if (unsent < 0) lose(std::string(trimmed(PQerrorMessage(handle()))));
        if (PQisBusy(handle()) == 0) return true;
        if (!wait(deadline, unsent > 0)) return false;
        if (PQconsumeInput(handle()) == 0) lose(std::string(trimmed(PQerrorMessage(handle()))));
    }
}

bool Connection::is_at_work() const noexcept {
    // The process behind a pooler has another number than the one we are told.
    if (place_.pooled) return false;
    try {
        // A look that is given up too early would end a connection on which all is well.
        StoreOptions patient = options_;
        patient.reply_wait_max = std::max(patient.reply_wait_max, look_wait_min);
        Connection other{place_, patient};
        Parameters process;
        process.add(std::int64_t{PQbackendPID(handle())});
        return other.run(is_active, process).boolean(0, 0);
    } catch (const Error&) {
        return false;
    }
}

void Connection::lose(const std::string& why) {
    broken_ = true;
    sent_.clear();
    opening_ = {};
    throw UnavailableError("store '" + place_.name + "': the connection was lost: " + why +
                           ": check that the server runs, and try again");
}

void Connection::require(bool done, std::string_view what) {
    if (!done) {
        lose(std::string(what) + ": " + std::string(trimmed(PQerrorMessage(handle()))));
    }
}

const char* Connection::prepared(std::string_view statement, Parameters& parameters,
                                 Author author) {
    if (place_.pooled || statement.size() > kept_statement_bytes_max) return nullptr;
    const auto same_types = [&](const Prepared& kept) {
        return std::equal(kept.types.begin(), kept.types.end(), parameters.types(),
                          parameters.types() + parameters.size());
    };
    const auto found = prepared_.find(statement);
    if (found != prepared_.end()) {
        const auto kept = std::ranges::find_if(found->second, same_types);
        if (kept != found->second.end()) return kept->name.c_str();
    }
    if (prepared_count_ >= statements_kept_max) forgets_ = true;
    const std::string name = "d" + std::to_string(++names_given_);
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

void Connection::forget_prepared() {
    prepared_.clear();
    prepared_count_ = 0;
    forgets_ = true;
}

void Connection::make_server_forget() {
    // A transaction that has failed takes nothing but its end; no name is given twice anyway.
    if (PQtransactionStatus(handle()) == PQTRANS_INERROR) return;
    forget_prepared();
    forgets_ = false;
    constexpr const char* forget_all = "DEALLOCATE ALL";
    require(PQsendQueryParams(handle(), forget_all, 0, nullptr, nullptr, nullptr, nullptr, 0),
            "a statement cannot be sent");
    sent_.push_back({.statement = forget_all, .preparation = true});
    // Answered before anything else is sent: a BEGIN behind it could not choose its isolation.
    take_answers({});
}

void Connection::send(std::string_view statement) {
    Parameters none;
    send(statement, none);
}

void Connection::send(std::string_view statement, Parameters& parameters, Format format,
                      Author author) {
    require_own_process();
    if (statement.starts_with(rollback_to)) {
        forgive();
    } else {
        require_whole();
    }
    touched_ = true;
    finish_telling();
    require(PQenterPipelineMode(handle()) != 0, "a statement cannot be sent");
    if (forgets_ && unanswered() == 0) make_server_forget();
    const std::uint64_t names_before = names_given_;
    int sent = 0;
    const char* const name = prepared(statement, parameters, author);
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
    const bool was_kept = name != nullptr && names_given_ == names_before;
    sent_.push_back({.statement = std::string(statement), .author = author, .was_kept = was_kept});
}

std::vector<Result> Connection::receive(const Look& look) {
    try {
        return take_answers(look);
    } catch (...) {
        note_first_error();
        throw;
    }
}

std::vector<Result> Connection::take_answers(const Look& look) {
    require(PQpipelineSync(handle()) != 0, "a statement cannot be sent");
    const auto deadline = answer_deadline();
    const std::vector<Sent> sent = std::exchange(sent_, {});
    const Opening opening = std::exchange(opening_, {});
    Answers answers;
    for (const Sent& one : sent) {
        const bool shows = look && !answers.failed && &one == &sent.back();
        take_answer(one, shows ? &look : nullptr, deadline, answers);
        if (PQstatus(handle()) != CONNECTION_OK) break;
    }
    if (PQstatus(handle()) == CONNECTION_OK) {
        const Result sync{next(deadline)};
        answered_at_ = SteadyClock::now();
    }
    take_opening(opening, answers.results);
    if (answers.failed) fail_for(*answers.failed, *answers.failed_statement);
    if (PQstatus(handle()) != CONNECTION_OK) {
        lose(std::string(trimmed(PQerrorMessage(handle()))));
    }
    if (guarded_) check_still_open(sent.empty() ? "" : sent.back().statement);
    if (answers.thrown) std::rethrow_exception(answers.thrown);
    return std::move(answers.results);
}

void Connection::take_opening(const Opening& opening, std::vector<Result>& answers) {
    if (!opening.take || answers.size() < opening.answers) return;
    opening.take({answers.data(), opening.answers});
    answers.erase(answers.begin(), answers.begin() + static_cast<std::ptrdiff_t>(opening.answers));
}

void Connection::take_answer(const Sent& one, const Look* look, Deadline deadline,
                             Answers& answers) {
    bool good = true;
    if (look != nullptr) {
        require(PQsetSingleRowMode(handle()) != 0, "rows cannot be taken one by one");
    }
    while (PGresult* const taken = next(deadline)) {
        Result result{taken};
        const auto status = PQresultStatus(taken);
        if (status == PGRES_SINGLE_TUPLE) {
            if (!answers.thrown) answers.thrown = thrown_by([&] { (*look)(result); });
            continue;
        }
        good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        if (!good && !answers.failed && status != PGRES_PIPELINE_ABORTED) {
            answers.failed = std::move(result);
            answers.failed_statement = &one;
        } else if (good && !one.preparation) {
            note_done(result.done(), one);
            answers.results.push_back(std::move(result));
        }
    }
    if (!good && one.preparation) prepared_.erase(one.statement);
}

void Connection::fail_for(const Result& failed, const Sent& statement) {
    failed_state_ = sql_state_of(failed.get());
    const char* const severity = PQresultErrorField(failed.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    // The server says goodbye before it hangs up.
    const bool lost = failed_state_.empty() || failed_state_.starts_with("57P") ||
                      (severity != nullptr && std::string_view{severity} != "ERROR");
    if (lost || PQstatus(handle()) != CONNECTION_OK) broken_ = true;
    stale_ = (statement.was_kept && (failed_state_ == "0A000" || failed_state_ == "26000")) ||
             (statement.preparation && failed_state_ == "42P05");
    if (stale_) forget_prepared();
    const Failure failure{statement.statement, statement.author, reads_only_, stale_};
    unfit_ = unfit_ || is_read_only_server(failed_state_, failure) ||
             is_store_missing(failed_state_, failure) || failed_state_ == "XX000";
    fail(place_, failed.get(), failure);
}

void Connection::note_done(std::string_view done, const Sent& statement) {
    if (is_definition(done)) forget_prepared();
    const bool ends = done == "COMMIT" || done == "PREPARE TRANSACTION" ||
                      (done == "ROLLBACK" && !statement.statement.starts_with(rollback_to));
    if (guarded_ && ends) ended_ = true;
}

void Connection::check_still_open(std::string_view statement) {
    if (!ended_ && PQtransactionStatus(handle()) == PQTRANS_INTRANS) return;
    ended_ = true;
    constexpr std::size_t shown_max = 300;
    throw InvalidError("store '" + place_.name +
                       "': a statement has ended the transaction that it was given: leave COMMIT "
                       "and ROLLBACK to the store: " +
                       std::string(statement.substr(0, shown_max)));
}

void Connection::guard_transaction(std::function<void()> begin_again, Opened opened) {
    guarded_ = true;
    touched_ = false;
    ended_ = false;
    first_error_ = nullptr;
    begin_again_ = std::move(begin_again);
    const auto answers = std::ranges::count(sent_, false, &Sent::preparation);
    opening_ = {static_cast<std::size_t>(answers), std::move(opened)};
}

void Connection::end_guard() noexcept {
    guarded_ = false;
    ended_ = false;
    first_error_ = nullptr;
}

void Connection::require_whole() const {
    if (first_error_) std::rethrow_exception(first_error_);
}

void Connection::note_first_error() noexcept {
    if (!guarded_ || first_error_) return;
    if (!ended_ && !broken() && PQtransactionStatus(handle()) == PQTRANS_INTRANS) return;
    first_error_ = std::current_exception();
}

void Connection::forgive() {
    drop_answers();
    if (ended_ || broken()) require_whole();
    first_error_ = nullptr;
}

bool Connection::nothing_done() const noexcept {
    if (guarded_) return !touched_ && !first_error_;
    return !in_transaction() && sent_.empty();
}

void Connection::begin_again() {
    try {
        const auto begin = begin_again_;
        begin();
    } catch (...) {
        // No transaction is open: nothing may go to the server as if there were one.
        guarded_ = true;
        first_error_ = std::current_exception();
        throw;
    }
}

void Connection::commit() {
    require_whole();
    end_guard();
    const Result committed = run("COMMIT");
    if (committed.done() == "COMMIT") return;
    throw InvalidError("store '" + place_.name +
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
    require_whole();
    touched_ = true;
    try {
        run_script({.statement = statements, .author = author});
    } catch (...) {
        note_first_error();
        throw;
    }
}

void Connection::run_script(const Sent& script) {
    finish_telling();
    if (unanswered() > 0) take_answers({});
    require(PQexitPipelineMode(handle()) != 0, "a script cannot be sent");
    require(PQsendQuery(handle(), script.statement.c_str()) != 0, "a script cannot be sent");
    std::optional<Result> failed;
    // A schema may take its time: large indexes are built by one.
    while (PGresult* const taken = next_while_at_work()) {
        Result result{taken};
        const auto status = PQresultStatus(taken);
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (good) note_done(result.done(), script);
        if (!good && !failed) failed = std::move(result);
    }
    if (failed) fail_for(*failed, script);
    if (guarded_) check_still_open(script.statement);
}

bool Connection::try_tell(const std::string& statements) noexcept {
    try {
        if (broken() || is_of_parent()) return false;
        if (telling_) {
            if (PQconsumeInput(handle()) == 0 || PQisBusy(handle()) != 0) return false;
            finish_telling();
        }
        if (PQexitPipelineMode(handle()) == 0) return false;
        if (PQsendQuery(handle(), statements.c_str()) == 0) return false;
        telling_ = true;
        PQflush(handle());
        return true;
    } catch (const Error&) {
        return false;
    }
}

void Connection::finish_telling() {
    if (!telling_) return;
    telling_ = false;
    const auto deadline = answer_deadline();
    while (PGresult* const taken = next(deadline)) {
        const Result answer{taken};
        if (answer.rows() > 0) told_ = answer.text(0, 0);
    }
}

bool Connection::in_transaction() const noexcept {
    const auto status = PQtransactionStatus(handle());
    return is_opening() || status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void Connection::drop_answers() noexcept {
    try {
        if (unanswered() > 0) receive();
    } catch (const Error&) {
        // What is rolled back may have failed.
    }
}

void Connection::rollback() noexcept {
    end_guard();
    if (is_of_parent()) return;
    drop_answers();
    try {
        if (!broken() && in_transaction()) run("ROLLBACK");
    } catch (const Error&) {
        broken_ = true;
    }
}

void Connection::rollback_unwaited() noexcept {
    end_guard();
    if (is_of_parent()) return;
    drop_answers();
    if (!in_transaction() || try_tell("ROLLBACK")) return;
    rollback();
}

}  // namespace daybook::postgres
