#include "postgres/writer.hpp"

#include <algorithm>
#include <thread>

#include "daybook/core/error.hpp"
#include "postgres/append_call.hpp"
#include "repeated_append.hpp"

namespace daybook::postgres {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view unique_violation = "23505";
constexpr std::int64_t not_as_expected = 0;

constexpr std::string_view find_event =
    "SELECT e.position, e.version, s.name, t.name, t.version, e.data, COALESCE(e.metadata, '') "
    "FROM event e JOIN stream s ON s.id = e.stream JOIN event_type t ON t.id = e.type "
    "WHERE e.id = $1";

/// Of the transaction numbered $1, if this is still the life of the server in which it began: after
/// a crash the number may be another's.
constexpr std::string_view status_of_unit =
    "SELECT CASE WHEN EXISTS(SELECT 1 FROM server_life WHERE id::text = $2) "
    "THEN pg_xact_status($1::text::xid8) ELSE '' END";

constexpr std::string_view has_event = "SELECT EXISTS(SELECT 1 FROM event WHERE id = $1)::text";

}  // namespace

Writer::Writer(Place place, EngineOptions options, TypeTable& types)
    : place_(std::move(place)), options_(std::move(options)), types_(types) {
    connect();
}

void Writer::connect() {
    sql_.reset();
    reader_.reset();
    connection_.reset();
    connection_ = std::make_unique<Connection>(place_, options_);
    reader_ = std::make_unique<EventReader>(*connection_, types_);
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
    if (!connection_ || connection_->broken()) connect();
}

std::vector<AppendOutcome> Writer::append_group(AppendRequests requests) {
    require_connection();
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    for (bool again = false;; again = true) {
        try {
            // The second time the ids may be our own.
            return call(requests, again);
        } catch (const UnavailableError& error) {
            if (!connection_->broken()) {
                if (!again) throw;
                // The server may still be busy with the first attempt.
                throw_in_doubt(error.what());
            }
            drop();
            try {
                connect_again(deadline);
            } catch (const UnavailableError&) {
                throw_in_doubt(error.what());
            }
        }
        if (SteadyClock::now() >= deadline) throw_in_doubt("the connection was lost again");
    }
}

std::vector<AppendOutcome> Writer::append_all(AppendRequests requests) {
    std::vector<AppendOutcome> outcomes = call(requests, true);
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto* const stored = std::get_if<AppendResult>(&outcomes[i]);
        if (stored == nullptr || stored->repeated) continue;
        written_ = requests[i]->events.front().id;
        head_ = std::max(head_.value_or(Position{}), stored->position);
    }
    return outcomes;
}

std::vector<AppendOutcome> Writer::call(AppendRequests requests, bool check_ids) {
    const bool is_one = requests.size() == 1 && requests.front()->events.size() == 1;
    if (is_one && !check_ids) {
        if (const auto stored = append_event(*requests.front())) return {*stored};
    }
    AppendCall arguments{requests};
    Parameters parameters = arguments.parameters(check_ids);
    const Result result = answer_of(AppendCall::statement, parameters);
    const auto positions = result.int8s(0, 0);
    const auto versions = result.int8s(0, 1);
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        outcomes.push_back(outcome_of(*requests[i], positions.at(i), versions.at(i)));
    }
    return outcomes;
}

std::optional<AppendResult> Writer::append_event(const AppendRequest& request) {
    Parameters parameters = append_event_parameters(request);
    const auto reached = answer_of(append_event_statement, parameters).int8s(0, 0);
    if (reached.empty()) return std::nullopt;
    return AppendResult{static_cast<std::uint64_t>(reached.at(0)),
                        static_cast<std::uint64_t>(reached.at(1)), false};
}

Result Writer::answer_of(std::string_view append_statement, Parameters& parameters) {
    if (!connection_->in_transaction()) connection_->send_settings();
    connection_->send(append_statement, parameters);
    try {
        return std::move(connection_->receive().back());
    } catch (const InvalidError& error) {
        if (connection_->failed_state() != unique_violation) throw;
        throw DuplicateError(error.what());
    }
}

AppendOutcome Writer::outcome_of(const AppendRequest& request, std::int64_t position,
                                 std::int64_t version) {
    const Version reached = static_cast<std::uint64_t>(version);
    if (position > 0) return AppendResult{static_cast<std::uint64_t>(position), reached, false};
    if (auto repeated = repeat_of(request)) return *repeated;
    if (position == not_as_expected) return Conflict{request.stream, request.expected, reached};
    throw CorruptError("store '" + place_.name + "': an event id of stream '" +
                       request.stream.str() + "' is refused but not there: check the store");
}

std::optional<AppendResult> Writer::repeat_of(const AppendRequest& request) {
    return find_repeat(request, [this](const EventId& id, const auto& visit) {
        Parameters parameters;
        parameters.add(id);
        if (!connection_->in_transaction()) connection_->send_settings();
        connection_->send(find_event, parameters);
        const std::vector<Result> results = connection_->receive();
        const Result& found = results.back();
        if (found.rows() == 0) return;
        visit({static_cast<std::uint64_t>(found.int8(0, 0)),
               static_cast<std::uint64_t>(found.int8(0, 1)), found.text(0, 2), found.text(0, 3),
               found.int4(0, 4), found.text(0, 5), found.text(0, 6)});
    });
}

void Writer::begin() {
    for (bool again = false;; again = true) {
        require_connection();
        try {
            connection_->send("BEGIN");
            connection_->send_settings();
            connection_->send("SELECT * FROM begin_unit()");
            connection_->send(EventReader::select_head);
            const std::vector<Result> results = connection_->receive();
            const Result& unit = results[results.size() - 2];
            transaction_ = unit.text(0, 0);
            life_ = unit.text(0, 1);
            head_ = static_cast<std::uint64_t>(results.back().int8(0, 0));
            written_.reset();
            return;
        } catch (const UnavailableError&) {
            // The server may have been restarted since this connection was used last.
            const bool lost = connection_->broken();
            rollback();
            if (!lost || again) throw;
        } catch (...) {
            rollback();
            throw;
        }
    }
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
    if (!head_) head_ = reader_->head();
    return *head_;
}

void Writer::commit() {
    try {
        const Result committed = connection_->run("COMMIT");
        if (std::string_view{PQcmdStatus(committed.get())} == "COMMIT") return;
    } catch (const Error&) {
        if (!connection_->broken()) throw;
        return settle_commit();
    }
    reader_->forget();
    throw InvalidError("store '" + place_.name +
                       "': a statement of this unit has failed, so the unit cannot be committed: "
                       "let the statement's error pass");
}

void Writer::settle_commit() {
    const std::string process = std::to_string(PQbackendPID(connection_->handle()));
    const auto deadline = SteadyClock::now() + options_.busy_wait_max + options_.reply_wait_max;
    drop();
    std::string status = "unknown";
    while (SteadyClock::now() < deadline) {
        try {
            if (!connection_ || connection_->broken()) connect_again(deadline);
            status = outcome_of_unit();
            if (status == "committed") return;
            if (status != "in progress") break;
            // The server has not noticed yet that nobody listens to the old connection.
            Parameters pid;
            pid.add_text(process);
            if (!place_.pooled) {
                connection_->run("SELECT pg_terminate_backend($1::text::integer)", pid);
            }
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
    connection_->send("SELECT lock_store()");
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
    if (connection_->broken()) drop();
}

}  // namespace daybook::postgres
