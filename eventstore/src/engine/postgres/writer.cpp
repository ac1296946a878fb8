#include "engine/postgres/writer.hpp"

#include <algorithm>
#include <thread>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// The status of transaction $1; empty if the server has crashed since, or a standby has taken
/// over. Then the id may belong to another transaction, whose status would be a false answer.
constexpr std::string_view select_transaction_status =
    "SELECT CASE WHEN EXISTS(SELECT 1 FROM daybook_server_life WHERE id::text = $2) "
    "THEN pg_xact_status($1::text::xid8) ELSE '' END";

/// Terminates process $1 only if it serves the same database and user: the operating system may
/// have given the process id to another connection meanwhile.
constexpr std::string_view terminate_own_backend =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::bigint "
    "AND datname = current_database() AND usename = current_user";

constexpr std::string_view has_event =
    "SELECT EXISTS(SELECT 1 FROM daybook_event WHERE id = $1)::text";

/// After this time without use, the writer checks that the connection still works before it hands
/// it to a transaction.
constexpr std::chrono::seconds idle_before_check{1};

}  // namespace

Writer::Writer(ConnectionString connection_string, StoreOptions options, TypeTable& types)
    : connection_string_(std::move(connection_string)),
      options_(std::move(options)),
      types_(types) {
    connect();
}

void Writer::connect() {
    sql_.reset();
    appender_.reset();
    reader_.reset();
    connection_.reset();
    connection_ = std::make_unique<Connection>(connection_string_, options_);
    reader_ = std::make_unique<EventReader>(*connection_, types_);
    appender_ = std::make_unique<Appender>(*connection_, connection_string_);
    sql_ = std::make_unique<ConnectionSql>(*connection_);
}

void Writer::reconnect(Deadline deadline) {
    constexpr std::chrono::milliseconds pause{20};
    while (true) {
        try {
            return connect();
        } catch (const UnavailableError&) {
            if (SteadyClock::now() + pause >= deadline) throw;
        }
        std::this_thread::sleep_for(pause);
    }
}

void Writer::require_connection() {
    if (!connection_ || !connection_->usable() || connection_->closed_by_server()) connect();
}

std::vector<AppendOutcome> Writer::append_group(AppendRequests requests) {
    require_connection();
    try {
        return connection_->with_fresh_statements([&] { return appender_->append(requests); });
    } catch (const UnavailableError& error) {
        if (!connection_->broken()) throw;
        return resolve_group(requests, error.what());
    }
}

std::vector<AppendOutcome> Writer::resolve_group(AppendRequests requests, std::string why) {
    const int lost_backend = PQbackendPID(connection_->handle());
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    drop_connection();
    while (SteadyClock::now() < deadline) {
        try {
            if (!connection_) reconnect(deadline);
            terminate_backend(lost_backend);
            begin();
            std::vector<AppendOutcome> outcomes = append_all(requests);
            commit();
            return outcomes;
        } catch (const DuplicateError&) {
            // A transaction that repeats an id fails, so the first attempt has failed as well and
            // nothing of it is stored.
            rollback();
            throw;
        } catch (const Error& error) {
            why = error.what();
            rollback();
            if (error.kind() != ErrorKind::unavailable) break;
        }
    }
    throw_in_doubt(why);
}

std::vector<AppendOutcome> Writer::append_all(AppendRequests requests) {
    std::vector<AppendOutcome> outcomes =
        connection_->with_fresh_statements([&] { return appender_->append(requests); });
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!has_stored(outcomes[i])) continue;
        written_event_ = requests[i]->events.front().id;
        head_ = std::max(head_.value_or(Position{}), std::get<AppendResult>(outcomes[i]).position);
    }
    return outcomes;
}

void Writer::begin() {
    for (bool again = false;; again = true) {
        require_connection();
        // The server may have closed an idle connection. Waiting for the BEGIN finds that out here,
        // where a new connection can take its place, and not in the caller's first statement.
        const bool was_idle = SteadyClock::now() - connection_->answered_at() >= idle_before_check;
        try {
            send_begin();
            if (was_idle) wait_for_begin();
            return;
        } catch (const UnavailableError&) {
            // The server may have been restarted since the last use of this connection, or a
            // standby may have taken over. Nothing of the transaction was done yet, so it is begun
            // again.
            const bool replaced = !connection_->usable();
            rollback();
            if (!replaced || again) throw;
        } catch (...) {
            rollback();
            throw;
        }
    }
}

void Writer::send_begin() {
    head_.reset();
    written_event_.reset();
    connection_->send(connection_->begin_statement());
    connection_->send_settings();
    connection_->send("SELECT * FROM daybook_begin_transaction()");
    connection_->send(EventReader::select_head);
    connection_->guard_transaction(
        [this] {
            connection_->rollback();
            send_begin();
        },
        [this](std::span<const Result> results) {
            const Result& begun = results[results.size() - 2];
            transaction_id_ = begun.text(0, 0);
            server_life_ = begun.text(0, 1);
            head_ = static_cast<std::uint64_t>(results.back().int8(0, 0));
        });
}

void Writer::wait_for_begin() {
    if (!connection_->begin_is_pending()) return;
    connection_->with_fresh_statements([this] { connection_->receive(); });
}

void Writer::savepoint() {
    connection_->with_fresh_statements([this] { connection_->run("SAVEPOINT daybook_append"); });
}

void Writer::rollback_to_savepoint() {
    connection_->send("ROLLBACK TO SAVEPOINT daybook_append");
    connection_->send("RELEASE SAVEPOINT daybook_append");
    connection_->receive();
    head_.reset();
    written_event_.reset();
    reader_->drop_names();
}

Position Writer::head() {
    wait_for_begin();
    if (!head_) head_ = reader_->head();
    return *head_;
}

void Writer::commit() {
    connection_->require_intact();
    // Without the transaction's id, a commit whose connection is lost could not be resolved.
    wait_for_begin();
    try {
        connection_->commit();
    } catch (const Error&) {
        if (!connection_->broken()) throw;
        resolve_commit();
    }
}

void Writer::resolve_commit() {
    const int lost_backend = PQbackendPID(connection_->handle());
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    drop_connection();
    std::string status = "unknown";
    while (SteadyClock::now() < deadline) {
        try {
            if (!connection_ || !connection_->usable()) reconnect(deadline);
            status = transaction_status();
            if (status == "committed") return;
            if (status != "in progress") break;
            terminate_backend(lost_backend);
        } catch (const UnavailableError&) {
            drop_connection();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    if (status == "aborted") {
        throw UnavailableError(
            "store '" + connection_string_.name +
            "': the connection was lost before the transaction was committed, and "
            "nothing of it is stored: try again");
    }
    throw_in_doubt("its transaction is " + status);
}

void Writer::terminate_backend(int process_id) {
    if (connection_string_.pooled) return;
    Parameters process;
    process.add(std::int64_t{process_id});
    connection_->run(terminate_own_backend, process);
}

std::string Writer::transaction_status() {
    const auto first_field = [&](std::string_view statement, Parameters& parameters) {
        connection_->send(statement, parameters);
        return std::string{connection_->receive().back().text(0, 0)};
    };
    Parameters transaction;
    transaction.add_text(transaction_id_).add_text(server_life_);
    connection_->send_settings();
    const std::string status = first_field(select_transaction_status, transaction);
    if (!status.empty()) return status;
    if (!written_event_) return "unknown";
    Parameters event;
    event.add(*written_event_);
    connection_->send_settings();
    // The lost transaction holds the store's lock until it ends. Once this transaction has the
    // lock, the outcome is final and visible; without it, an event that is committed a moment later
    // would be reported as not stored.
    connection_->send("SELECT daybook_lock_store()");
    return first_field(has_event, event) == "true" ? "committed" : "aborted";
}

void Writer::throw_in_doubt(const std::string& why) const {
    throw InDoubtError(
        "store '" + connection_string_.name +
        "': the connection was lost while a transaction was being committed and it cannot "
        "be known whether it is stored: read the stream before repeating it: " +
        why);
}

void Writer::rollback() noexcept {
    if (!connection_) return;
    connection_->rollback();
    reader_->drop_names();
    if (!connection_->usable()) drop_connection();
}

}  // namespace daybook::postgres
