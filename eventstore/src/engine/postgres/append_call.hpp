#pragma once

#include <string_view>
#include <unordered_map>

#include "daybook/eventstore/engine.hpp"
#include "engine/postgres/known_log.hpp"
#include "engine/postgres/values.hpp"

namespace daybook::postgres {

/// How a call that looks everything up is meant.
struct AppendTerms {
    EventId last_known;
    bool check_ids = false;
    /// The second half of a group, to be stored only if the known half is.
    bool after_known = false;
};

/// What every call takes of each event.
class EventColumns {
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

/// The arguments of `append_events` for a group of requests (schema/sql/postgres/0002_append.sql).
/// The requests must outlive it.
class AppendCall {
public:
    explicit AppendCall(AppendRequests requests);

    static constexpr std::string_view statement =
        "SELECT * FROM daybook_append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11, $12, $13, $14, $15, $16, $17, $18, $19)";

    /// Valid as long as this.
    Parameters parameters(const AppendTerms& terms);

    // Where the answer speaks of a name that a request has, from 1.
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
    EventColumns events_;
};

/// The arguments of `append_known`.
class KnownCall {
public:
    explicit KnownCall(const Foresight& foresight);

    static constexpr std::string_view statement =
        "SELECT daybook_append_known($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

    /// Valid as long as this.
    Parameters parameters(const EventId& last_known, std::int64_t known_log);

private:
    Array event_stream_{type::int8};
    Array event_version_{type::int8};
    Array event_category_{type::int4};
    Array event_type_{type::int4};
    Array event_recorded_{type::int8};
    EventColumns events_;
};

/// The arguments of `append_event`, for a request of one event. Borrows from the request.
Parameters append_event_parameters(const AppendRequest& request, const AppendTerms& terms,
                                   const KnownEvent& known);

constexpr std::string_view append_event_statement =
    "SELECT daybook_append_event($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
    "$14, $15, $16, $17, $18)";

}  // namespace daybook::postgres
