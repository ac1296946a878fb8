#include "engine/postgres/event_reader.hpp"

#include <algorithm>
#include <unordered_set>

#include "daybook/core/error.hpp"
#include "values/log_check.hpp"
#include "values/sql_values.hpp"

namespace daybook::postgres {

namespace {

using detail::bounded;

constexpr std::string_view columns =
    "SELECT position, version, type, recorded_at, id, correlation, causation, data, metadata, ";
constexpr int last_column = 9;  ///< the stream, or the log's number if the stream is known

constexpr std::string_view find_known = "SELECT id FROM daybook_event WHERE position = $1";

std::string stream_statement(Direction direction) {
    const bool forward = direction == Direction::forward;
    return std::string(columns) +
           "tableoid FROM daybook_event WHERE "
           "stream = (SELECT id FROM daybook_stream WHERE name = $1) AND " +
           (forward ? "version >= $2 ORDER BY version LIMIT $3"
                    : "version <= $2 ORDER BY version DESC LIMIT $3");
}

// What a filter's names stand for is looked up in the statement itself, and so in the same state of
// the store as the events: with ids from an earlier state, the first event of a new type would be
// passed over.
std::string log_statement(Direction direction, const EventFilter& filter) {
    std::string sql{columns};
    sql += "stream FROM daybook_event WHERE position BETWEEN $1 AND $2";
    if (!filter.categories.empty()) {
        sql += " AND category = ANY(ARRAY(SELECT id FROM daybook_category WHERE name = ANY($4)))";
    }
    if (!filter.types.empty()) {
        sql += " AND type = ANY(ARRAY(SELECT id FROM daybook_event_type WHERE name = ANY($5)))";
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
std::vector<Result> EventReader::ask(Send&& send, const Connection::Look& look) {
    return connection_.with_fresh_statements([&] {
        if (!connection_.in_transaction()) connection_.send_settings();
        send();
        return connection_.receive(look);
    });
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
            "SELECT COALESCE((SELECT version FROM daybook_event WHERE stream = (SELECT id FROM "
            "daybook_stream "
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
    Filling filling{request, page, page.keep(request.stream->str())};
    fill(filling, [&] { connection_.send(stream_statement(request.direction), parameters); });
    page.at_end = !filling.is_full && filling.came < rows_max;
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
        Filling filling{request, page};
        filling.statements = 2;
        const auto results = fill(filling, [&] {
            connection_.send(select_head);
            connection_.send(statement, parameters);
        });
        const Result& at_head = results[results.size() - 2];
        if (note_log(at_head.int4(0, 1)) && !page.rows.empty()) {
            page.clear();
            continue;
        }
        const auto newest = static_cast<std::uint64_t>(at_head.int8(0, 0));
        const bool window_done = !filling.is_full && filling.came < rows_max;
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

template <class Send>
std::vector<Result> EventReader::fill(Filling& filling, Send&& send) {
    if (name_by_id_.size() > names_kept_max) name_by_id_.clear();
    const LogPoint* const known = filling.request.known;
    const bool checks = known != nullptr && known->position > Position{0};
    const auto send_all = [&] {
        if (checks) {
            Parameters parameters;
            parameters.add(bounded(known->position.value()));
            connection_.send(find_known, parameters);
        }
        send();
    };
    auto results = ask(send_all, [&](const Result& row) { add(row, filling); });
    if (checks) {
        const Result& found = results[results.size() - filling.statements - 1];
        if (found.rows() == 0 || found.id(0, 0) != known->event) {
            detail::fail_other_log(connection_.place().name, *known, {});
        }
    }
    note_size(filling.page);
    name(filling);
    return results;
}

void EventReader::add(const Result& row, Filling& filling) {
    EventPage& page = filling.page;
    if (filling.came == 0) note_table(row.table());
    ++filling.came;
    if (filling.is_full || (page.bytes() >= filling.request.bytes_max && !page.rows.empty())) {
        filling.is_full = true;
        return;
    }
    EventRow& event = page.rows.emplace_back();
    event.position = static_cast<std::uint64_t>(row.int8(0, 0));
    event.version = static_cast<std::uint64_t>(row.int8(0, 1));
    event.recorded_at = Timestamp{std::chrono::microseconds{row.int8(0, 3)}};
    event.id = row.id(0, 4);
    event.correlation = row.id(0, 5);
    event.causation = row.id(0, 6);
    event.data = page.keep(row.text(0, 7));
    event.metadata = page.keep(row.text(0, 8));
    const bool stream_is_known = filling.stream.data() != nullptr;
    if (stream_is_known) note_log(row.int4(0, last_column));
    const std::int32_t type = row.int4(0, 2);
    event.type = known_type(type);
    if (event.type == nullptr) filling.types.push_back({page.rows.size() - 1, type});
    event.stream = filling.stream;
    if (stream_is_known) return;
    const std::int64_t stream = row.int8(0, last_column);
    const auto found = name_by_id_.find(stream);
    if (found != name_by_id_.end()) {
        event.stream = page.keep(found->second);
    } else {
        filling.streams.push_back({page.rows.size() - 1, stream});
    }
}

void EventReader::name(const Filling& filling) {
    for (const auto& [row, id] : filling.types) {
        if (known_type(id) == nullptr) learn_type(id);
        filling.page.rows[row].type = known_type(id);
    }
    if (filling.streams.empty()) return;
    learn_names(filling.streams);
    for (const auto& [row, id] : filling.streams) {
        const auto found = name_by_id_.find(id);
        if (found == name_by_id_.end()) {
            throw CorruptError("store '" + connection_.place().name + "': stream " +
                               std::to_string(id) +
                               " has events but no name: restore the store from a backup");
        }
        filling.page.rows[row].stream = filling.page.keep(found->second);
    }
}

bool EventReader::note_log(std::int32_t log) {
    if (log == log_) return false;
    const bool is_another = log_ != 0;
    log_ = log;
    if (is_another) forget();
    return is_another;
}

void EventReader::note_size(const EventPage& page) noexcept {
    if (page.rows.empty()) return;
    row_bytes_ = std::max({row_bytes_ / 2, page.bytes() / page.rows.size(), row_bytes_min});
}

void EventReader::note_table(unsigned table) {
    if (table != table_) forget();
    table_ = table;
}

const TypeEntry* EventReader::known_type(std::int64_t id) const noexcept {
    const auto index = static_cast<std::size_t>(id);
    return index < type_by_id_.size() ? type_by_id_[index] : nullptr;
}

void EventReader::learn_type(std::int64_t id) {
    Parameters parameters;
    parameters.add(id);
    const auto results = ask([&] {
        connection_.send("SELECT name, version FROM daybook_event_type WHERE id = $1::bigint",
                         parameters);
    });
    const Result& found = results.back();
    if (found.rows() == 0) {
        throw CorruptError("store '" + connection_.place().name + "': event type " +
                           std::to_string(id) +
                           " is used but not defined: restore the store from a backup");
    }
    const auto index = static_cast<std::size_t>(id);
    if (index >= type_by_id_.size()) type_by_id_.resize(index + 1);
    type_by_id_[index] = types_.intern(found.text(0, 0), found.int4(0, 1));
}

void EventReader::learn_names(const std::vector<Unnamed>& rows) {
    std::unordered_set<std::int64_t> asked;
    Array unknown{type::int8};
    for (const auto& [row, id] : rows) {
        if (asked.insert(id).second) unknown.add(id);
    }
    Parameters parameters;
    parameters.add(unknown, type::int8_array);
    const auto results = ask([&] {
        connection_.send("SELECT id, name FROM daybook_stream WHERE id = ANY($1)", parameters);
    });
    const Result& names = results.back();
    for (int row = 0; row < names.rows(); ++row) {
        name_by_id_[names.int8(row, 0)] = names.text(row, 1);
    }
}

}  // namespace daybook::postgres
