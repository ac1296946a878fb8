#pragma once

#include <optional>
#include <vector>

#include "engine/postgres/append_call.hpp"
#include "engine/postgres/connection.hpp"
#include "engine/postgres/log_cache.hpp"

namespace daybook::postgres {

/// Appends over one connection, a group in one round trip. The cache of the log belongs to the
/// connection: a new connection may lead to a server that has lost the last commits (a failover),
/// so it starts with an empty cache.
class Appender {
public:
    Appender(Connection& connection, const ConnectionString& connection_string)
        : connection_(connection), connection_string_(connection_string) {}

    /// One outcome for each request, in their order. Outside of a transaction the group is stored
    /// in one of its own; an event id that is already stored then makes the whole group fail with
    /// DuplicateError, and nothing of it is stored.
    std::vector<AppendOutcome> append(AppendRequests requests);

private:
    /// Appends that were sent to the server, for which it looks up names and versions.
    struct SentAppend {
        AppendRequests requests;
        std::optional<AppendEventsCall>
            call;  ///< none: a single event was sent with `append_event`
    };

    std::vector<AppendOutcome> append_unpredicted(AppendRequests requests);
    std::vector<AppendOutcome> append_predicted(AppendRequests requests,
                                                const Prediction& prediction);
    void send_settings();
    SentAppend send(AppendRequests requests, const AppendOptions& options);
    std::vector<Result> receive();
    std::vector<AppendOutcome> parse_result(SentAppend& sent, const Result& result);
    AppendOutcome parse_event_result(const AppendRequest& request, const Result& result);
    void record(SentAppend& sent, const std::vector<AppendOutcome>& outcomes, const Result& result);
    AppendOutcome outcome_of(const AppendRequest& request, std::int64_t position,
                             std::int64_t version);
    std::optional<AppendResult> repeat_of(const AppendRequest& request);

    Connection& connection_;
    const ConnectionString& connection_string_;
    LogCache cache_;
};

}  // namespace daybook::postgres
