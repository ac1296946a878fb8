#pragma once

#include <optional>
#include <vector>

#include "engine/postgres/append_call.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/known_log.hpp"

namespace daybook::postgres {

/// Appends over one connection, a group in one round trip. With the connection goes what its writer
/// knows of the log: who connects again may find an older state of it.
class Appender {
public:
    Appender(Connection& connection, const Place& place) : connection_(connection), place_(place) {}

    /// Each request's own verdict. Outside a transaction the group gets one of its own, and an id
    /// that was used before is DuplicateError for all of it.
    std::vector<AppendOutcome> append(AppendRequests requests);

private:
    /// Appends that the server has been asked for, with all that it has to look up.
    struct Question {
        AppendRequests requests;
        std::optional<AppendCall> call;  ///< none: a single event, `append_event`
    };

    std::vector<AppendOutcome> append_any(AppendRequests requests);
    std::vector<AppendOutcome> append_foreseen(AppendRequests requests, const Foresight& foresight);
    void begin();
    Question ask(AppendRequests requests, const AppendTerms& terms);
    std::vector<Result> receive();
    std::vector<AppendOutcome> understand(Question& question, const Result& answer);
    AppendOutcome understand_event(const AppendRequest& request, const Result& answer);
    void learn(Question& question, const std::vector<AppendOutcome>& outcomes,
               const Result& answer);
    AppendOutcome outcome_of(const AppendRequest& request, std::int64_t position,
                             std::int64_t version);
    std::optional<AppendResult> repeat_of(const AppendRequest& request);

    Connection& connection_;
    const Place& place_;
    KnownLog known_;
};

}  // namespace daybook::postgres
