#include "postgres/event_reader.hpp"

#include <algorithm>

#include "bounded.hpp"
#include "daybook/core/error.hpp"

namespace daybook::postgres {

namespace {

using detail::bounded;

constexpr std::string_view columns =
    "SELECT position, version, type, recorded_at, id, correlation, causation, data, metadata, "
    "stream FROM event WHERE ";
constexpr int stream_column = 9;

std::string stream_statement(Direction direction) {
    const bool forward = direction == Direction::forward;
    return std::string(columns) + "stream = (SELECT id FROM stream WHERE name = $1) AND " +
           (forward ? "version >= $2 ORDER BY version LIMIT $3"
                    : "version <= $2 ORDER BY version DESC LIMIT $3");
}

// What a filter's names stand for is looked up in the statement itself, and so in the same state of
// the store as the events: with ids from an earlier state, the first event of a new type would be
// passed over.
std::string log_statement(Direction direction, const EventFilter& filter) {
    std::string sql{columns};
    sql += "position BETWEEN $1 AND $2";
    if (!filter.categories.empty()) {
        sql += " AND category = ANY(ARRAY(SELECT id FROM category WHERE name = ANY($4)))";
    }
    if (!filter.types.empty()) {
        sql += " AND type = ANY(ARRAY(SELECT id FROM event_type WHERE name = ANY($5)))";
    }
    return sql + (direction == Direction::forward ? " ORDER BY position LIMIT $3"
                                                  : " ORDER BY position DESC LIMIT $3");
}

Array text_array(const std::vector<std::string>& texts) {
    Array array{type::text};
    for (const std::string& text : texts) array.add(std::string_view{text});
    return array;
}

}  // namespace

template <class Send>
std::vector<Result> EventReader::ask(Send&& send) {
    if (!connection_.in_transaction()) connection_.send_settings();
    send();
    return connection_.receive();
}

void EventReader::read(const PageRequest& request, EventPage& page) {
    page.clear();
    page.next_from = request.from;
    if (request.stream != nullptr) {
        read_stream(request, page);
    } else {
        read_log(request, page);
    }
}

Version EventReader::version(const StreamName& stream) {
    Parameters parameters;
    parameters.add_text(stream.str());
    const auto results = ask([&] {
        connection_.send(
            "SELECT COALESCE((SELECT version FROM event WHERE stream = (SELECT id FROM stream "
            "WHERE name = $1) ORDER BY version DESC LIMIT 1), 0)",
            parameters);
    });
    return static_cast<std::uint64_t>(results.back().int8(0, 0));
}

Position EventReader::head() {
    const auto results = ask([&] { connection_.send(select_head); });
    return static_cast<std::uint64_t>(results.back().int8(0, 0));
}

void EventReader::forget() {
    type_by_id_.clear();
    name_by_id_.clear();
}

void EventReader::read_stream(const PageRequest& request, EventPage& page) {
    const bool newest_first = request.direction == Direction::backward;
    const std::uint64_t from = newest_first && request.from == 0 ? unlimited : request.from;
    const int rows_max = rows_asked(request);
    Parameters parameters;
    parameters.add_text(request.stream->str()).add(bounded(from)).add(std::int64_t{rows_max});
    const auto results =
        ask([&] { connection_.send(stream_statement(request.direction), parameters); });
    const Result& rows = results.back();
    const bool all = fill(rows, request, page, page.keep(request.stream->str()));
    page.at_end = all && rows.rows() < rows_max;
    if (page.rows.empty()) return;
    const std::uint64_t last = page.rows.back().version.value();
    page.next_from = newest_first ? last - 1 : last + 1;
    page.at_end = page.at_end || page.next_from == 0;
}

void EventReader::read_log(const PageRequest& request, EventPage& page) {
    const bool backward = request.direction == Direction::backward;
    static const EventFilter everything;
    const EventFilter& filter = request.filter != nullptr ? *request.filter : everything;
    const std::string statement = log_statement(request.direction, filter);
    Array categories = text_array(filter.categories);
    Array types = text_array(filter.types);
    std::uint64_t from = request.from;
    if (backward) {
        const std::uint64_t newest = head().value();
        from = from == 0 ? newest : std::min(from, newest);
    } else {
        from = std::max<std::uint64_t>(from, 1);
    }
    page.scanned_to = backward ? Position{} : Position{from - 1};
    bool at_end = from == 0;
    while (!at_end && page.rows.empty()) {
        const std::uint64_t until =
            backward
                ? (from > scanned_positions_max ? from - scanned_positions_max + 1 : 1)
                : std::min(unlimited - scanned_positions_max, from) + scanned_positions_max - 1;
        const int rows_max = rows_asked(request);
        Parameters parameters;
        parameters.add(bounded(std::min(from, until)))
            .add(bounded(std::max(from, until)))
            .add(std::int64_t{rows_max})
            .add(categories, type::text_array)
            .add(types, type::text_array);
        // The head is read before the rows, so that "scanned up to here" can be said without a
        // transaction around both: what comes after it is simply left for the next page.
        const auto results = ask([&] {
            connection_.send(select_head);
            connection_.send(statement, parameters);
        });
        const auto newest = static_cast<std::uint64_t>(results[results.size() - 2].int8(0, 0));
        const Result& rows = results.back();
        const bool window_done = fill(rows, request, page, {}) && rows.rows() < rows_max;
        std::uint64_t scanned = until;
        if (!window_done) {
            scanned = page.rows.back().position.value();
        } else if (!backward) {
            const std::uint64_t last =
                page.rows.empty() ? from - 1 : page.rows.back().position.value();
            scanned = std::max(last, std::min(until, newest));
        }
        from = backward ? scanned - 1 : scanned + 1;
        if (!backward) page.scanned_to = Position{std::max(page.scanned_to.value(), scanned)};
        at_end = backward ? from == 0 : from > newest;
    }
    page.next_from = from;
    page.at_end = at_end;
}

int EventReader::rows_asked(const PageRequest& request) const {
    const std::size_t fitting = std::max<std::size_t>(request.bytes_max / row_bytes_, 1);
    return static_cast<int>(std::min(request.events_max, fitting));
}

bool EventReader::fill(const Result& result, const PageRequest& request, EventPage& page,
                       std::string_view stream) {
    if (stream.data() == nullptr) learn_names(result);
    for (int row = 0; row < result.rows(); ++row) {
        if (page.bytes() >= request.bytes_max && !page.rows.empty()) {
            note_size(page);
            return false;
        }
        EventRow& event = page.rows.emplace_back();
        event.position = static_cast<std::uint64_t>(result.int8(row, 0));
        event.version = static_cast<std::uint64_t>(result.int8(row, 1));
        event.type = type(result.int4(row, 2));
        event.recorded_at = Timestamp{std::chrono::microseconds{result.int8(row, 3)}};
        event.id = result.id(row, 4);
        event.correlation = result.id(row, 5);
        event.causation = result.id(row, 6);
        event.data = page.keep(result.text(row, 7));
        event.metadata = page.keep(result.text(row, 8));
        event.stream =
            stream.data() != nullptr ? stream : stream_name(result.int8(row, stream_column), page);
    }
    note_size(page);
    return true;
}

void EventReader::note_size(const EventPage& page) noexcept {
    if (page.rows.empty()) return;
    row_bytes_ = std::max({row_bytes_ / 2, page.bytes() / page.rows.size(), row_bytes_min});
}

const TypeEntry* EventReader::type(std::int32_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index < type_by_id_.size() && type_by_id_[index] != nullptr) return type_by_id_[index];
    Parameters parameters;
    parameters.add(std::int64_t{id});
    const auto results = ask([&] {
        connection_.send("SELECT name, version FROM event_type WHERE id = $1::bigint", parameters);
    });
    const Result& found = results.back();
    if (found.rows() == 0) {
        throw CorruptError("store '" + connection_.place().name + "': event type " +
                           std::to_string(id) +
                           " is used but not defined: restore the store from a backup");
    }
    if (index >= type_by_id_.size()) type_by_id_.resize(index + 1);
    type_by_id_[index] = types_.intern(found.text(0, 0), found.int4(0, 1));
    return type_by_id_[index];
}

void EventReader::learn_names(const Result& result) {
    if (name_by_id_.size() > names_kept_max) name_by_id_.clear();
    Array unknown{type::int8};
    for (int row = 0; row < result.rows(); ++row) {
        const std::int64_t id = result.int8(row, stream_column);
        if (name_by_id_.try_emplace(id).second) unknown.add(id);
    }
    if (unknown.size() == 0) return;
    Parameters parameters;
    parameters.add(unknown, type::int8_array);
    const auto results = ask(
        [&] { connection_.send("SELECT id, name FROM stream WHERE id = ANY($1)", parameters); });
    const Result& names = results.back();
    for (int row = 0; row < names.rows(); ++row) {
        name_by_id_[names.int8(row, 0)] = names.text(row, 1);
    }
}

std::string_view EventReader::stream_name(std::int64_t id, EventPage& page) {
    const std::string& name = name_by_id_[id];
    if (name.empty()) {
        throw CorruptError("store '" + connection_.place().name + "': stream " +
                           std::to_string(id) +
                           " has events but no name: restore the store from a backup");
    }
    return page.keep(name);
}

}  // namespace daybook::postgres
