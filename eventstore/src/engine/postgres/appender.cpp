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

/// The server looks for ids in what is stored, and the events of one call are not yet.
void refuse_id_twice(AppendRequests requests) {
    std::size_t events = 0;
    for (const AppendRequest* request : requests) events += request->events.size();
    if (events < 2) return;
    // A table half full at most, in which a step to the next place settles who came to one first.
    const std::size_t places = std::bit_ceil(2 * events);
    const int unused_bits = std::countl_zero(places) + 1;
    std::vector<const EventId*> table(places);
    for (const AppendRequest* request : requests) {
        for (const NewEvent& event : request->events) {
            std::uint64_t place = 0;
            std::memcpy(&place, event.id.bytes().data() + sizeof place, sizeof place);
            place = place * 0x9e3779b97f4a7c15U >> unused_bits;
            for (; table[place] != nullptr; place = (place + 1) % places) {
                if (*table[place] != event.id) continue;
                throw DuplicateError("stream '" + request->stream.str() + "': event id " +
                                     event.id.to_string() +
                                     " is in what is appended together with it already: give each "
                                     "event an id of its own");
            }
            table[place] = &event.id;
        }
    }
}

/// A call more costs as much as looking up what a few events need.
bool pays(const Foresight& foresight) {
    constexpr std::size_t events_min = 4;
    const std::size_t events = foresight.types.size();
    return events >= events_min || (events > 1 && foresight.rest.empty());
}

}  // namespace

std::vector<AppendOutcome> Appender::append(AppendRequests requests) {
    refuse_id_twice(requests);
    if (!connection_.in_transaction() && !is_one_event(requests)) {
        const Foresight foresight = known_.foresee(requests);
        if (pays(foresight)) return append_foreseen(requests, foresight);
    }
    return append_any(requests);
}

std::vector<AppendOutcome> Appender::append_any(AppendRequests requests) {
    begin();
    Question question =
        ask(requests, {.last_known = known_.last(), .check_ids = connection_.in_transaction()});
    return understand(question, receive().back());
}

std::vector<AppendOutcome> Appender::append_foreseen(AppendRequests requests,
                                                     const Foresight& foresight) {
    begin();
    KnownCall call{foresight};
    Parameters parameters = call.parameters(known_.last(), known_.log());
    connection_.send(KnownCall::statement, parameters);
    std::optional<Question> rest;
    if (!foresight.rest.empty()) {
        // All or nothing: a group is one transaction, and its exception says that nothing is there.
        const EventId& foreseen_last = foresight.foreseen.back()->events.back().id;
        rest = ask(foresight.rest, {.last_known = foreseen_last, .after_known = true});
    }
    const std::vector<Result> answers = receive();
    const bool came_true = answers[answers.size() - (rest ? 2 : 1)].boolean(0, 0);
    known_.learn_continued(came_true);
    if (!came_true) return append_any(requests);
    known_.learn(foresight);
    std::vector<AppendOutcome> others;
    if (rest) others = understand(*rest, answers.back());

    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(requests.size());
    std::size_t foreseen = 0;
    auto other = others.begin();
    for (const AppendRequest* request : requests) {
        if (foreseen < foresight.foreseen.size() && foresight.foreseen[foreseen] == request) {
            outcomes.emplace_back(foresight.results[foreseen++]);
        } else {
            outcomes.push_back(std::move(*other++));
        }
    }
    return outcomes;
}

void Appender::begin() {
    if (!connection_.in_transaction()) connection_.send_settings();
}

Appender::Question Appender::ask(AppendRequests requests, const AppendTerms& terms) {
    Question question{requests, std::nullopt};
    if (is_one_event(requests) && !terms.check_ids) {
        const AppendRequest& request = *requests.front();
        // Of what the half before may change nothing is known.
        const KnownEvent known = terms.after_known ? KnownEvent{} : known_.foresee_event(request);
        Parameters parameters = append_event_parameters(request, terms, known);
        connection_.send(append_event_statement, parameters);
    } else {
        Parameters parameters = question.call.emplace(requests).parameters(terms);
        connection_.send(AppendCall::statement, parameters);
    }
    return question;
}

std::vector<Result> Appender::receive() {
    try {
        return connection_.receive();
    } catch (const InvalidError& error) {
        if (connection_.failed_state() != unique_violation) throw;
        throw DuplicateError(error.what());
    }
}

std::vector<AppendOutcome> Appender::understand(Question& question, const Result& answer) {
    if (!question.call) return {understand_event(*question.requests.front(), answer)};
    const auto positions = answer.integers<std::int64_t>(0, 0);
    const auto versions = answer.integers<std::int64_t>(0, 1);
    std::vector<AppendOutcome> outcomes;
    outcomes.reserve(positions.size());
    for (std::size_t i = 0; i < question.requests.size(); ++i) {
        outcomes.push_back(outcome_of(*question.requests[i], positions.at(i), versions.at(i)));
    }
    if (connection_.in_transaction()) {
        // It may still be rolled back.
        known_.learn_continued(false);
    } else if (std::any_of(outcomes.begin(), outcomes.end(), has_stored)) {
        learn(question, outcomes, answer);
    }
    return outcomes;
}

AppendOutcome Appender::understand_event(const AppendRequest& request, const Result& answer) {
    enum Told : std::size_t { position, version, stream, category, type, continued, log };
    const auto told = answer.integers<std::int64_t>(0, 0);
    AppendOutcome outcome = outcome_of(request, told.at(position), told.at(version));
    if (has_stored(outcome)) {
        known_.learn_log(told.at(log));
        known_.learn_continued(told.at(continued) != 0);
        known_.learn(request.events.front().type, told.at(type));
        known_.learn(request, {told.at(stream), told.at(category)},
                     std::get<AppendResult>(outcome));
    }
    return outcome;
}

void Appender::learn(Question& question, const std::vector<AppendOutcome>& outcomes,
                     const Result& answer) {
    const auto streams = answer.integers<std::int64_t>(0, 2);
    const auto categories = answer.integers<std::int32_t>(0, 3);
    const auto types = answer.integers<std::int32_t>(0, 4);
    known_.learn_log(answer.int8(0, 6));
    known_.learn_continued(answer.boolean(0, 5));
    const auto place = [](std::int32_t number) { return static_cast<std::size_t>(number - 1); };
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (!has_stored(outcomes[i])) continue;
        const AppendRequest& request = *question.requests[i];
        for (const NewEvent& event : request.events) {
            known_.learn(event.type, types.at(place(question.call->type_number(event.type))));
        }
        const std::size_t stream = place(question.call->stream_number(request.stream));
        known_.learn(request, {streams.at(stream), categories.at(stream)},
                     std::get<AppendResult>(outcomes[i]));
    }
}

AppendOutcome Appender::outcome_of(const AppendRequest& request, std::int64_t position,
                                   std::int64_t version) {
    const Version reached = static_cast<std::uint64_t>(version);
    if (position > 0) return AppendResult{static_cast<std::uint64_t>(position), reached, false};
    if (position == not_as_expected) return Conflict{request.stream, request.expected, reached};
    if (auto repeated = repeat_of(request)) return *repeated;
    throw CorruptError("store '" + place_.name + "': an event id of stream '" +
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
