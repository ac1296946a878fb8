#include "engine/postgres/writer.hpp"

#include <algorithm>
#include <thread>

#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// Of the transaction numbered $1, if this is still the life of the server in which it began: after
/// a crash the number may be another's.
constexpr std::string_view status_of_unit =
    "SELECT CASE WHEN EXISTS(SELECT 1 FROM daybook_server_life WHERE id::text = $2) "
    "THEN pg_xact_status($1::text::xid8) ELSE '' END";

/// A number may have been given to somebody else's process.
constexpr std::string_view end_process_of_ours =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::bigint "
    "AND datname = current_database() AND usename = current_user";

constexpr std::string_view has_event =
    "SELECT EXISTS(SELECT 1 FROM daybook_event WHERE id = $1)::text";

/// A connection that has not been used for so long is asked whether it is still there.
constexpr std::chrono::seconds idle_min{1};

}  // namespace

Writer::Writer(Place place, StoreOptions options, TypeTable& types)
    : place_(std::move(place)), options_(std::move(options)), types_(types) {
    connect();
}

void Writer::connect() {
    sql_.reset();
    appender_.reset();
    reader_.reset();
    connection_.reset();
    connection_ = std::make_unique<Connection>(place_, options_);
    reader_ = std::make_unique<EventReader>(*connection_, types_);
    appender_ = std::make_unique<Appender>(*connection_, place_);
    sql_ = std::make_unique<ConnectionSql>(*connection_);
}

void Writer::connect_again(Deadline deadline) {
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
    if (!connection_ || !connection_->fit() || connection_->hung_up()) connect();
}

std::vector<AppendOutcome> Writer::append_group(AppendRequests requests) {
    require_connection();
    try {
        return connection_->with_fresh_statements([&] { return appender_->append(requests); });
    } catch (const UnavailableError& error) {
        if (!connection_->broken()) throw;
        return settle_group(requests, error.what());
    }
}

std::vector<AppendOutcome> Writer::settle_group(AppendRequests requests, std::string why) {
    const int lost = PQbackendPID(connection_->handle());
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    drop();
    while (SteadyClock::now() < deadline) {
        try {
            if (!connection_) connect_again(deadline);
            end_process(lost);
            begin();
            std::vector<AppendOutcome> outcomes = append_all(requests);
            commit();
            return outcomes;
        } catch (const DuplicateError&) {
            // So there is nothing of the first attempt: it would have failed as well.
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
        written_ = requests[i]->events.front().id;
        head_ = std::max(head_.value_or(Position{}), std::get<AppendResult>(outcomes[i]).position);
    }
    return outcomes;
}

void Writer::begin() {
    for (bool again = false;; again = true) {
        require_connection();
        // Whoever was idle is spared an error if the server has gone away meanwhile.
        const bool was_idle = SteadyClock::now() - connection_->answered_at() >= idle_min;
        try {
            begin_here();
            if (was_idle) await_begin();
            return;
        } catch (const UnavailableError&) {
            // The server may have been restarted since this connection was used last, or another
            // one may have taken over.
            const bool replaced = !connection_->fit();
            rollback();
            if (!replaced || again) throw;
        } catch (...) {
            rollback();
            throw;
        }
    }
}

void Writer::begin_here() {
    head_.reset();
    written_.reset();
    connection_->send(connection_->begin_statement());
    connection_->send_settings();
    connection_->send("SELECT * FROM daybook_begin_unit()");
    connection_->send(EventReader::select_head);
    connection_->guard_transaction(
        [this] {
            connection_->rollback();
            begin_here();
        },
        [this](std::span<const Result> answers) {
            const Result& unit = answers[answers.size() - 2];
            transaction_ = unit.text(0, 0);
            life_ = unit.text(0, 1);
            head_ = static_cast<std::uint64_t>(answers.back().int8(0, 0));
        });
}

void Writer::await_begin() {
    if (!connection_->is_opening()) return;
    connection_->with_fresh_statements([this] { connection_->receive(); });
}

void Writer::savepoint() {
    connection_->with_fresh_statements([this] { connection_->run("SAVEPOINT unit"); });
}

void Writer::rollback_to_savepoint() {
    connection_->send("ROLLBACK TO SAVEPOINT unit");
    connection_->send("RELEASE SAVEPOINT unit");
    connection_->receive();
    head_.reset();
    written_.reset();
    reader_->forget();
}

Position Writer::head() {
    await_begin();
    if (!head_) head_ = reader_->head();
    return *head_;
}

void Writer::commit() {
    connection_->require_whole();
    // The unit's number is needed if the connection is lost in the commit.
    await_begin();
    try {
        connection_->commit();
    } catch (const Error&) {
        if (!connection_->broken()) throw;
        settle_commit();
    }
}

void Writer::settle_commit() {
    const int lost = PQbackendPID(connection_->handle());
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    drop();
    std::string status = "unknown";
    while (SteadyClock::now() < deadline) {
        try {
            if (!connection_ || !connection_->fit()) connect_again(deadline);
            status = outcome_of_unit();
            if (status == "committed") return;
            if (status != "in progress") break;
            end_process(lost);
        } catch (const UnavailableError&) {
            drop();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    if (status == "aborted") {
        throw UnavailableError("store '" + place_.name +
                               "': the connection was lost before the unit was committed, and "
                               "nothing of it is stored: try again");
    }
    throw_in_doubt("its transaction is " + status);
}

void Writer::end_process(int id) {
    if (place_.pooled) return;
    Parameters process;
    process.add(std::int64_t{id});
    connection_->run(end_process_of_ours, process);
}

std::string Writer::outcome_of_unit() {
    const auto answer = [&](std::string_view statement, Parameters& parameters) {
        connection_->send(statement, parameters);
        return std::string{connection_->receive().back().text(0, 0)};
    };
    Parameters unit;
    unit.add_text(transaction_).add_text(life_);
    connection_->send_settings();
    const std::string status = answer(status_of_unit, unit);
    if (!status.empty()) return status;
    if (!written_) return "unknown";
    Parameters event;
    event.add(*written_);
    connection_->send_settings();
    // Whoever has the lock sees whatever became of the unit.
    connection_->send("SELECT daybook_lock_store()");
    return answer(has_event, event) == "true" ? "committed" : "aborted";
}

void Writer::throw_in_doubt(const std::string& why) const {
    throw InDoubtError("store '" + place_.name +
                       "': the connection was lost while a unit was being committed and it cannot "
                       "be known whether it is stored: read the stream before repeating it: " +
                       why);
}

void Writer::rollback() noexcept {
    if (!connection_) return;
    connection_->rollback();
    reader_->forget();
    if (!connection_->fit()) drop();
}

}  // namespace daybook::postgres
