#include "postgres/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <poll.h>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int server_version_min = 130000;
constexpr std::size_t statements_kept_max = 500;

constexpr std::string_view is_active =
    "SELECT EXISTS(SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint AND state = 'active')";

constexpr std::string_view set_for_connection =
    "SELECT set_config(name, value, false) FROM unnest($1, $2) AS setting(name, value)";
constexpr std::string_view set_for_transaction =
    "SELECT set_config(name, value, true) FROM unnest($1, $2) AS setting(name, value)";

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return text;
}

/// A failed attempt to connect comes without an SQLSTATE: libpq keeps the server's text alone.
[[noreturn]] void fail_to_connect(const Place& place, PGconn* connection) {
    const std::string why{trimmed(PQerrorMessage(connection))};
    const std::string what = "store '" + place.name + "': " + why;
    if (why.find("database") != std::string::npos &&
        why.find("does not exist") != std::string::npos) {
        throw NotFoundError(what + ": create the database first, or check its name");
    }
    throw UnavailableError(what + ": check that the server runs, and the URI");
}

template <class Call>
std::exception_ptr thrown_by(Call&& call) noexcept {
    try {
        call();
        return nullptr;
    } catch (...) {
        return std::current_exception();
    }
}

}  // namespace

EventId Result::id(int row, int column) const noexcept {
    EventId::Bytes bytes{};
    const std::string_view stored = text(row, column);
    if (stored.size() == bytes.size()) {
        std::copy(stored.begin(), stored.end(), reinterpret_cast<char*>(bytes.data()));
    }
    return EventId{bytes};
}

std::int64_t Result::changed() const {
    const std::string_view count = PQcmdTuples(result_.get());
    std::int64_t changed = 0;
    std::from_chars(count.data(), count.data() + count.size(), changed);
    return changed;
}

Connection::Connection(const Place& place, const EngineOptions& options, const Settings& own)
    : place_(place), options_(options) {
    connect(SteadyClock::now() + options_.busy_wait_max);
    check_server();
    settings_ = {
        {"search_path", quoted_name(place_.schema)},
        {"lock_timeout", std::to_string(options_.busy_wait_max.count())},
        {"jit", "off"},
        // Every statement of the store goes by an index. What the planner was told about a table
        // when it was small must not lead it to read a large one from end to end.
        {"enable_seqscan", "off"},
        // Nor to gather and sort all of an index before it gives the first rows of it.
        {"enable_bitmapscan", "off"},
        // Arrays of other lengths would otherwise be reason enough to plan each statement of
        // `append_events` again and again, which takes longer than running it.
        {"plan_cache_mode", "force_generic_plan"},
        {"synchronous_commit", options_.durability == Durability::full ? "on" : "off"},
        // A program whose machine has lost power says no goodbye. Until the server asks whether it
        // is still there, after hours if nobody says otherwise, its unit keeps the store's lock.
        {"tcp_keepalives_idle", "10"},
        {"tcp_keepalives_interval", "5"},
        {"tcp_keepalives_count", "4"},
    };
    // Set in their order: the last of a name counts.
    settings_.insert(settings_.end(), own.begin(), own.end());
    if (place_.pooled) return;
    send_settings(set_for_connection);
    receive();
}

void Connection::connect(Deadline deadline) {
    // The encoding goes with the first message: to set it later libpq would wait without a
    // deadline.
    const char* const keywords[] = {"dbname", "client_encoding", nullptr};
    const char* const values[] = {place_.conninfo.c_str(), "UTF8", nullptr};
    connection_.reset(PQconnectStartParams(keywords, values, 1));
    if (!connection_) throw UnavailableError("store '" + place_.name + "': out of memory");
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
    if (place_.pooled) send_settings(set_for_transaction);
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
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
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
        Connection other{place_, options_};
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
    throw UnavailableError("store '" + place_.name + "': the connection was lost: " + why +
                           ": check that the server runs, and try again");
}

void Connection::require(bool done, std::string_view what) {
    if (!done) {
        lose(std::string(what) + ": " + std::string(trimmed(PQerrorMessage(handle()))));
    }
}

const char* Connection::prepared(std::string_view statement, Parameters& parameters) {
    if (place_.pooled) return nullptr;
    const auto found = prepared_.find(statement);
    if (found != prepared_.end()) return found->second.c_str();
    if (prepared_.size() >= statements_kept_max) return nullptr;
    const std::string name = "d" + std::to_string(prepared_.size() + 1);
    const std::string text{statement};
    require(PQsendPrepare(handle(), name.c_str(), text.c_str(), parameters.size(),
                          parameters.types()) != 0,
            "a statement cannot be sent");
    sent_.push_back({text, true});
    return prepared_.emplace(text, name).first->second.c_str();
}

void Connection::send(std::string_view statement) {
    Parameters none;
    send(statement, none);
}

void Connection::send(std::string_view statement, Parameters& parameters, Format format) {
    finish_telling();
    require(PQenterPipelineMode(handle()) != 0, "a statement cannot be sent");
    int sent = 0;
    if (const char* const name = prepared(statement, parameters)) {
        sent = PQsendQueryPrepared(handle(), name, parameters.size(), parameters.values(),
                                   parameters.lengths(), parameters.formats(),
                                   static_cast<int>(format));
    } else {
        sent = PQsendQueryParams(handle(), std::string(statement).c_str(), parameters.size(),
                                 parameters.types(), parameters.values(), parameters.lengths(),
                                 parameters.formats(), static_cast<int>(format));
    }
    require(sent != 0, "a statement cannot be sent");
    sent_.push_back({std::string(statement), false});
}

std::vector<Result> Connection::receive(const Look& look) {
    require(PQpipelineSync(handle()) != 0, "a statement cannot be sent");
    const auto deadline = answer_deadline();
    const std::vector<Sent> sent = std::move(sent_);
    sent_.clear();
    std::vector<Result> results;
    std::optional<Result> failed;
    std::string_view failed_statement;
    std::exception_ptr thrown;
    for (const Sent& one : sent) {
        bool good = true;
        if (look && !failed && &one == &sent.back()) {
            require(PQsetSingleRowMode(handle()) != 0, "rows cannot be taken one by one");
        }
        while (PGresult* const taken = next(deadline)) {
            Result result{taken};
            const auto status = PQresultStatus(taken);
            if (status == PGRES_SINGLE_TUPLE) {
                if (!thrown) thrown = thrown_by([&] { look(result); });
                continue;
            }
            good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
            if (!good && !failed && status != PGRES_PIPELINE_ABORTED) {
                failed = std::move(result);
                failed_statement = one.statement;
            } else if (good && !one.preparation) {
                results.push_back(std::move(result));
            }
        }
        if (!good && one.preparation) prepared_.erase(one.statement);
        if (PQstatus(handle()) != CONNECTION_OK) break;
    }
    if (PQstatus(handle()) == CONNECTION_OK) {
        const Result sync{next(deadline)};
    }
    if (failed) {
        const char* const state = PQresultErrorField(failed->get(), PG_DIAG_SQLSTATE);
        failed_state_ = state == nullptr ? "" : state;
        // The server says goodbye before it hangs up.
        const bool lost = failed_state_.empty() || failed_state_.starts_with("57P");
        if (lost || PQstatus(handle()) != CONNECTION_OK) broken_ = true;
        fail(place_, failed->get(), failed_statement);
    }
    if (PQstatus(handle()) != CONNECTION_OK) {
        lose(std::string(trimmed(PQerrorMessage(handle()))));
    }
    if (thrown) std::rethrow_exception(thrown);
    return results;
}

Result Connection::run(std::string_view statement, Parameters& parameters, Format format) {
    send(statement, parameters, format);
    return std::move(receive().back());
}

Result Connection::run(std::string_view statement) {
    Parameters none;
    return run(statement, none);
}

void Connection::script(const std::string& statements) {
    finish_telling();
    if (unanswered() > 0) receive();
    require(PQexitPipelineMode(handle()) != 0, "a script cannot be sent");
    require(PQsendQuery(handle(), statements.c_str()) != 0, "a script cannot be sent");
    std::optional<Result> failed;
    // A schema may take its time: large indexes are built by one.
    while (PGresult* const taken = next_while_at_work()) {
        Result result{taken};
        const auto status = PQresultStatus(taken);
        const bool good =
            status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
        if (!good && !failed) failed = std::move(result);
    }
    if (failed) fail(place_, failed->get(), statements);
}

bool Connection::try_tell(const std::string& statements) noexcept {
    try {
        if (broken()) return false;
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
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

void Connection::drop_answers() noexcept {
    try {
        if (unanswered() > 0) receive();
    } catch (const Error&) {
        // What is rolled back may have failed.
    }
}

void Connection::rollback() noexcept {
    drop_answers();
    try {
        if (!broken() && in_transaction()) run("ROLLBACK");
    } catch (const Error&) {
        broken_ = true;
    }
}

void Connection::rollback_unwaited() noexcept {
    drop_answers();
    if (!in_transaction() || try_tell("ROLLBACK")) return;
    rollback();
}

void fail(const Place& place, const PGresult* result, std::string_view statement) {
    const auto field = [&](int code) {
        const char* const value = PQresultErrorField(result, code);
        return std::string(value == nullptr ? "" : value);
    };
    const std::string state = field(PG_DIAG_SQLSTATE);
    const std::string primary = field(PG_DIAG_MESSAGE_PRIMARY);
    const std::string message =
        primary.empty() ? std::string(trimmed(PQresultErrorMessage(result))) : primary;
    std::string what = "store '" + place.name + "': " + message;
    if (!state.empty()) what += " (SQLSTATE " + state + ")";
    const auto is = [&](std::string_view wanted) { return state.starts_with(wanted); };
    if (state.empty() || is("08") || is("57P")) {
        throw UnavailableError(what + ": check that the server runs, and try again");
    }
    if (is("55P03")) throw UnavailableError(what + ": another process is writing; try again");
    if (is("40") || is("53300") || is("57014") || is("53200") || is("53400") || is("25P03")) {
        throw UnavailableError(what + ": try again");
    }
    if (is("53")) throw StorageError(what + ": free space on the server and try again");
    if (is("58") || is("F0") || is("XX000"))
        throw StorageError(what + ": check the server's disk and its log");
    if (is("XX001") || is("XX002")) throw CorruptError(what + ": restore it from a backup");
    if (is("28") || is("42501")) {
        throw UnavailableError(what + ": give the user the right to do this");
    }
    if (is("3D")) throw NotFoundError(what + ": create it first, or check its name");
    constexpr std::size_t shown_max = 300;
    throw InvalidError(what + ": " + std::string(statement.substr(0, shown_max)));
}

}  // namespace daybook::postgres
