#include "engine/postgres/appender.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "daybook/core/error.hpp"
#include "engine/repeated_append.hpp"

namespace daybook::postgres {

namespace {

constexpr std::string_view unique_violation = "23505";
constexpr std::int64_t not_as_expected = 0;

constexpr std::string_view find_event =
    "SELECT e.position, e.version, s.name, t.name, t.version, e.data, COALESCE(e.metadata, '') "
    "FROM daybook_event e JOIN daybook_stream s ON s.id = e.stream JOIN daybook_event_type t ON "
    "t.id = e.type "
    "WHERE e.id = $1";

bool is_one_event(AppendRequests requests) {
    return requests.size() == 1 && requests.front()->events.size() == 1;
}

/// Throws DuplicateError if two events of the group have the same id. The server does not find this
/// out: it compares new ids with stored events, and the events of one call are not stored yet.
void refuse_repeated_ids(AppendRequests requests) {
    std::size_t events = 0;
    for (const AppendRequest* request : requests) events += request->events.size();
    if (events < 2) return;
    // A hash table with open addressing and linear probing, at most half full.
    const std::size_t slots = std::bit_ceil(2 * events);
    const int unused_bits = std::countl_zero(slots) + 1;
    std::vector<const EventId*> table(slots);
    for (const AppendRequest* request : requests) {
        for (const NewEvent& event : request->events) {
            std::uint64_t slot = 0;
            std::memcpy(&slot, event.id.bytes().data() + sizeof slot, sizeof slot);
            slot = slot * 0x9e3779b97f4a7c15U >> unused_bits;
            for (; table[slot] != nullptr; slot = (slot + 1) % slots) {
                if (*table[slot] != event.id) continue;
                throw DuplicateError("stream '" + request->stream.str() + "': event id " +
                                     event.id.to_string() +
                                     " is in what is appended together with it already: give each "
                                     "event an id of its own");
            }
            table[slot] = &event.id;
        }
    }
}

/// Whether the prediction saves time. A second call costs as much as the look-ups of a few events.
bool is_worthwhile(const Prediction& prediction) {
    constexpr std::size_t events_min = 4;
    const std::size_t events = prediction.types.size();
    return events >= events_min || (events > 1 && prediction.rest.empty());
}

}  // namespace

std::vector<AppendOutcome> Appender::append(AppendRequests requests) {
    refuse_repeated_ids(requests);
    if (!connection_.in_transaction() && !is_one_event(requests)) {
        const Prediction prediction = cache_.predict(requests);
        if (is_worthwhile(prediction)) return append_predicted(requests, prediction);
    }
    return append_unpredicted(requests);
}

std::vector<AppendOutcome> Appender::append_unpredicted(AppendRequests requests) {
    send_settings();
    SentAppend sent = send(
        requests, {.last_known = cache_.last_event(), .check_ids = connection_.in_transaction()});
    return parse_result(sent, receive().back());
}

std::vector<AppendOutcome> Appender::append_predicted(AppendRequests requests,
                                                      const Prediction& prediction) {
    send_settings();
    AppendKnownCall call{prediction};
    Parameters parameters = call.parameters(cache_.last_event(), cache_.log_table());
    connection_.send(AppendKnownCall::statement, parameters);
    std::optional<SentAppend> rest;
    if (!prediction.rest.empty()) {
        // Both calls are one transaction. The second stores its events only if the first has, so
        // that an exception means for the whole group that nothing of it is stored.
        const EventId& last_predicted = prediction.predicted.back()->events.back().id;
        rest = send(prediction.rest, {.last_known = last_predicted, .after_known = true});
    }
    const std::vector<Result> results = receive();
    const bool is_correct = results[results.size() - (rest ? 2 : 1)].boolean(0, 0);
    cache_.record_continued(is_correct);
    if (!is_correct) return append_unpredicted(requests);
    cache_.record(prediction);
    std::vector<AppendOutcome> others;
    if (rest) others = parse_result(*rest, results.back());

    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(requests.size());
    std::size_t predicted = 0;
    auto other = others.begin();
    for (const AppendRequest* request : requests) {
        if (predicted < prediction.predicted.size() && prediction.predicted[predicted] == request) {
            outcomes.emplace_back(prediction.results[predicted++]);
        } else {
            outcomes.push_back(std::move(*other++));
        }
    }
    return outcomes;
}

void Appender::send_settings() {
    if (!connection_.in_transaction()) connection_.send_settings();
}

Appender::SentAppend Appender::send(AppendRequests requests, const AppendOptions& options) {
    SentAppend sent{requests, std::nullopt};
    if (is_one_event(requests) && !options.check_ids) {
        const AppendRequest& request = *requests.front();
        // Behind an `append_known` of the same group the cache is out of date: that call may change
        // what the hints would say.
        const EventHints hints = options.after_known ? EventHints{} : cache_.hints_for(request);
        Parameters parameters = append_event_parameters(request, options, hints);
        connection_.send(append_event_statement, parameters);
    } else {
        Parameters parameters = sent.call.emplace(requests).parameters(options);
        connection_.send(AppendEventsCall::statement, parameters);
    }
    return sent;
}

std::vector<Result> Appender::receive() {
    try {
        return connection_.receive();
    } catch (const InvalidError& error) {
        if (connection_.failed_state() != unique_violation) throw;
        throw DuplicateError(error.what());
    }
}

std::vector<AppendOutcome> Appender::parse_result(SentAppend& sent, const Result& result) {
    if (!sent.call) return {parse_event_result(*sent.requests.front(), result)};
    const auto positions = result.integers<std::int64_t>(0, 0);
    const auto versions = result.integers<std::int64_t>(0, 1);
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(positions.size());
    for (std::size_t i = 0; i < sent.requests.size(); ++i) {
        outcomes.push_back(outcome_of(*sent.requests[i], positions.at(i), versions.at(i)));
    }
    if (connection_.in_transaction()) {
        // The transaction may still be rolled back, and then none of these versions exist.
        cache_.invalidate();
    } else if (std::any_of(outcomes.begin(), outcomes.end(), has_stored)) {
        record(sent, outcomes, result);
    }
    return outcomes;
}

AppendOutcome Appender::parse_event_result(const AppendRequest& request, const Result& result) {
    enum Field : std::size_t { position, version, stream, category, type, continued, log };
    const auto fields = result.integers<std::int64_t>(0, 0);
    AppendOutcome outcome = outcome_of(request, fields.at(position), fields.at(version));
    if (has_stored(outcome)) {
        cache_.record_log_table(fields.at(log));
        cache_.record_continued(fields.at(continued) != 0);
        cache_.record_type(request.events.front().type, fields.at(type));
        cache_.record_append(request, {fields.at(stream), fields.at(category)},
                             std::get<AppendResult>(outcome));
    }
    return outcome;
}

void Appender::record(SentAppend& sent, const std::vector<AppendOutcome>& outcomes,
                      const Result& result) {
    const auto streams = result.integers<std::int64_t>(0, 2);
    const auto categories = result.integers<std::int32_t>(0, 3);
    const auto types = result.integers<std::int32_t>(0, 4);
    cache_.record_log_table(result.int8(0, 6));
    cache_.record_continued(result.boolean(0, 5));
    const auto index_of = [](std::int32_t number) { return static_cast<std::size_t>(number - 1); };
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!has_stored(outcomes[i])) continue;
        const AppendRequest& request = *sent.requests[i];
        for (const NewEvent& event : request.events) {
            cache_.record_type(event.type, types.at(index_of(sent.call->type_number(event.type))));
        }
        const std::size_t stream = index_of(sent.call->stream_number(request.stream));
        cache_.record_append(request, {streams.at(stream), categories.at(stream)},
                             std::get<AppendResult>(outcomes[i]));
    }
}

AppendOutcome Appender::outcome_of(const AppendRequest& request, std::int64_t position,
                                   std::int64_t version) {
    const Version reached = static_cast<std::uint64_t>(version);
    if (position > 0) return AppendResult{static_cast<std::uint64_t>(position), reached, false};
    if (position == not_as_expected) return Conflict{request.stream, request.expected, reached};
    if (auto repeated = repeat_of(request)) return *repeated;
    throw CorruptError("store '" + connection_string_.name + "': an event id of stream '" +
                       request.stream.str() + "' is refused but not there: check the store");
}

std::optional<AppendResult> Appender::repeat_of(const AppendRequest& request) {
    return find_repeat(request, [this](const EventId& id, const auto& visit) {
        Parameters parameters;
        parameters.add(id);
        connection_.send(find_event, parameters);
        const std::vector<Result> results = connection_.receive();
        const Result& found = results.back();
        if (found.rows() == 0) return;
        visit({static_cast<std::uint64_t>(found.int8(0, 0)),
               static_cast<std::uint64_t>(found.int8(0, 1)), found.text(0, 2), found.text(0, 3),
               found.int4(0, 4), found.text(0, 5), found.text(0, 6)});
    });
}

}  // namespace daybook::postgres
