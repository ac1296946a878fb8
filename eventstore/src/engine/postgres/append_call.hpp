#pragma once

#include <string_view>
#include <unordered_map>

#include "daybook/eventstore/engine.hpp"
#include "engine/postgres/log_cache.hpp"
#include "engine/postgres/values.hpp"

namespace daybook::postgres {

// The server functions are in schema/sql/postgres/*/functions/, the row types of their parameters
// in types/ beside them: a statement makes a row of the values that belong together.

/// The options of the server functions `append_events` and `append_event`.
struct AppendOptions {
    /// The last event in the writer's cache; the server says whether it was the last of the log.
    EventId last_known;
    /// Whether the server looks for the ids of the new events before it inserts them. Without, an
    /// id that is already stored makes the whole call fail.
    bool check_ids = false;
    /// The call follows an `append_known` in the same transaction, and stores its events only if
    /// that call has stored its own (then `last_known` is the last of these). Otherwise half of a
    /// group would be stored and then appended again.
    bool after_known = false;
};

/// The row `daybook_event_contents`, which both calls below take: one element for each event.
class EventContents {
public:
    void add(const AppendRequest& request, const NewEvent& event);
    void add_to(Parameters& parameters);

private:
    Array id_{type::uuid};
    Array correlation_{type::uuid};
    Array causation_{type::uuid};
    Array data_{type::text};
    Array metadata_{type::text};
};

/// A call of `append_events`, which looks up all names and versions of a group of appends. The
/// requests must outlive this.
class AppendEventsCall {
public:
    explicit AppendEventsCall(AppendRequests requests);

    static constexpr std::string_view statement =
        "SELECT * FROM daybook_append_events($1, "
        "ROW($2, $3, $4, $5)::daybook_append_names, "
        "ROW($6, $7, $8, $9)::daybook_append_requests, "
        "ROW($10, $11, $12)::daybook_event_slots, "
        "ROW($13, $14, $15, $16, $17)::daybook_event_contents, $18, $19)";

    /// They borrow from this, which has to live until they are sent.
    Parameters parameters(const AppendOptions& options);

    // Where the function's result has the id of this stream or type; the first is 1. An unknown
    // one is added.
    std::int32_t stream_number(const StreamName& stream);
    std::int32_t type_number(const EventType& type);

private:
    void add(const AppendRequest& request);

    std::unordered_map<std::string_view, std::int32_t> stream_numbers_;
    std::unordered_map<std::string_view, std::vector<std::pair<int, std::int32_t>>> type_numbers_;
    Array stream_names_{type::text};
    Array stream_categories_{type::text};
    Array type_names_{type::text};
    Array type_versions_{type::int4};
    Array request_stream_{type::int4};
    Array request_expected_{type::int8};
    Array request_events_{type::int4};
    Array request_recorded_{type::int8};
    Array event_request_{type::int4};
    Array event_number_{type::int4};
    Array event_type_{type::int4};
    EventContents contents_;
};

/// A call of `append_known`, which inserts the events of a prediction as finished rows. It returns
/// false, and inserts nothing, if `last_known` is not the last event of the log.
class AppendKnownCall {
public:
    explicit AppendKnownCall(const Prediction& prediction);

    static constexpr std::string_view statement =
        "SELECT daybook_append_known($1, $2, "
        "ROW($3, $4, $5, $6, $7)::daybook_event_keys, "
        "ROW($8, $9, $10, $11, $12)::daybook_event_contents)";

    /// They borrow from this, which has to live until they are sent.
    Parameters parameters(const EventId& last_known, std::int64_t log_table);

private:
    Array event_stream_{type::int8};
    Array event_version_{type::int8};
    Array event_category_{type::int4};
    Array event_type_{type::int4};
    Array event_recorded_{type::int8};
    EventContents contents_;
};

/// The parameters of `append_event`, for a request with a single event. They borrow from the
/// request, which has to live until they are sent.
Parameters append_event_parameters(const AppendRequest& request, const AppendOptions& options,
                                   const EventHints& hints);

constexpr std::string_view append_event_statement =
    "SELECT daybook_append_event("
    "ROW($1, $2, $3, $4)::daybook_append_name, $5, "
    "ROW($6, $7, $8, $9, $10, $11)::daybook_event_content, $12, $13, "
    "ROW($14, $15, $16, $17, $18)::daybook_append_hints)";

}  // namespace daybook::postgres
