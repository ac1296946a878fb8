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
constexpr int last_column = 9;  ///< the stream's id, or the table's oid if the stream is given

constexpr std::string_view find_known = "SELECT id FROM daybook_event WHERE position = $1";

std::string stream_statement(Direction direction) {
    const bool forward = direction == Direction::forward;
    return std::string(columns) +
           "tableoid FROM daybook_event WHERE "
           "stream = (SELECT id FROM daybook_stream WHERE name = $1) AND " +
           (forward ? "version >= $2 ORDER BY version LIMIT $3"
                    : "version <= $2 ORDER BY version DESC LIMIT $3");
}

// The statement itself looks up the ids of a filter's names, so it sees the same state of the store
// as for the events. With ids from an earlier state it would skip the first event of a new type,
// and a projection that moves its checkpoint past it would never see it.
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
std::vector<Result> EventReader::run(Send&& send, const Connection::RowVisitor& visit_row) {
    return connection_.with_fresh_statements([&] {
        if (!connection_.in_transaction()) connection_.send_settings();
        send();
        return connection_.receive(visit_row);
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
    const auto results = run([&] {
        connection_.send(
            "SELECT COALESCE((SELECT version FROM daybook_event WHERE stream = (SELECT id FROM "
            "daybook_stream "
            "WHERE name = $1) ORDER BY version DESC LIMIT 1), 0)",
            parameters);
    });
    return static_cast<std::uint64_t>(results.back().int8(0, 0));
}

Position EventReader::head() {
    const auto results = run([&] { connection_.send(select_head); });
    return static_cast<std::uint64_t>(results.back().int8(0, 0));
}

void EventReader::drop_names() {
    type_by_id_.clear();
    name_by_id_.clear();
}

void EventReader::read_stream(const PageRequest& request, EventPage& page) {
    const bool newest_first = request.direction == Direction::backward;
    const std::uint64_t from = newest_first && request.from == 0 ? unlimited : request.from;
    const int rows_max = row_limit(request);
    Parameters parameters;
    parameters.add_text(request.stream->str()).add(bounded(from)).add(std::int64_t{rows_max});
    PageFill fill{request, page, page.keep(request.stream->str())};
    fill_page(fill, [&] { connection_.send(stream_statement(request.direction), parameters); });
    page.at_end = !fill.is_full && fill.rows_received < rows_max;
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
        const int rows_max = row_limit(request);
        Parameters parameters;
        parameters.add(bounded(std::min(from, until)))
            .add(bounded(std::max(from, until)))
            .add(std::int64_t{rows_max})
            .add(categories, type::text_array)
            .add(types, type::text_array);
        // The head is selected before the rows. Each of the two statements sees its own state of
        // the store, and an event may be committed between them: in this order it is left for the
        // next page. In the other order `scanned_to` could pass an event that is not among the
        // rows, and the reader would skip it.
        PageFill fill{request, page};
        fill.statements = 2;
        const auto results = fill_page(fill, [&] {
            connection_.send(select_head);
            connection_.send(statement, parameters);
        });
        const Result& at_head = results[results.size() - 2];
        if (note_log_table(at_head.int4(0, 1)) && !page.rows.empty()) {
            page.clear();
            continue;
        }
        const auto newest = static_cast<std::uint64_t>(at_head.int8(0, 0));
        const bool window_done = !fill.is_full && fill.rows_received < rows_max;
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

int EventReader::row_limit(const PageRequest& request) const {
    const std::size_t fitting = std::max<std::size_t>(request.bytes_max / row_bytes_, 1);
    return static_cast<int>(std::min(request.events_max, fitting));
}

template <class Send>
std::vector<Result> EventReader::fill_page(PageFill& fill, Send&& send) {
    if (name_by_id_.size() > names_kept_max) name_by_id_.clear();
    const LogPoint* const known = fill.request.last_read;
    const bool checks = known != nullptr && known->position > Position{0};
    const auto send_all = [&] {
        if (checks) {
            Parameters parameters;
            parameters.add(bounded(known->position.value()));
            connection_.send(find_known, parameters);
        }
        send();
    };
    auto results = run(send_all, [&](const Result& row) { add(row, fill); });
    if (checks) {
        const Result& found = results[results.size() - fill.statements - 1];
        if (found.rows() == 0 || found.id(0, 0) != known->event) {
            detail::fail_other_log(connection_.connection_string().name, *known, {});
        }
    }
    note_size(fill.page);
    resolve_names(fill);
    return results;
}

void EventReader::add(const Result& row, PageFill& fill) {
    EventPage& page = fill.page;
    if (fill.rows_received == 0) note_row_table(row.table());
    ++fill.rows_received;
    if (fill.is_full || (page.bytes() >= fill.request.bytes_max && !page.rows.empty())) {
        fill.is_full = true;
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
    const bool stream_is_known = fill.stream.data() != nullptr;
    if (stream_is_known) note_log_table(row.int4(0, last_column));
    const std::int32_t type = row.int4(0, 2);
    event.type = cached_type(type);
    if (event.type == nullptr) fill.types.push_back({page.rows.size() - 1, type});
    event.stream = fill.stream;
    if (stream_is_known) return;
    const std::int64_t stream = row.int8(0, last_column);
    const auto found = name_by_id_.find(stream);
    if (found != name_by_id_.end()) {
        event.stream = page.keep(found->second);
    } else {
        fill.streams.push_back({page.rows.size() - 1, stream});
    }
}

void EventReader::resolve_names(const PageFill& fill) {
    for (const auto& [row, id] : fill.types) {
        if (cached_type(id) == nullptr) load_type(id);
        fill.page.rows[row].type = cached_type(id);
    }
    if (fill.streams.empty()) return;
    load_stream_names(fill.streams);
    for (const auto& [row, id] : fill.streams) {
        const auto found = name_by_id_.find(id);
        if (found == name_by_id_.end()) {
            throw CorruptError("store '" + connection_.connection_string().name + "': stream " +
                               std::to_string(id) +
                               " has events but no name: restore the store from a backup");
        }
        fill.page.rows[row].stream = fill.page.keep(found->second);
    }
}

bool EventReader::note_log_table(std::int32_t log_table) {
    if (log_table == log_table_) return false;
    const bool is_another = log_table_ != 0;
    log_table_ = log_table;
    if (is_another) drop_names();
    return is_another;
}

void EventReader::note_size(const EventPage& page) noexcept {
    if (page.rows.empty()) return;
    row_bytes_ = std::max({row_bytes_ / 2, page.bytes() / page.rows.size(), row_bytes_min});
}

void EventReader::note_row_table(unsigned table) {
    if (table != row_table_) drop_names();
    row_table_ = table;
}

const TypeEntry* EventReader::cached_type(std::int64_t id) const noexcept {
    const auto index = static_cast<std::size_t>(id);
    return index < type_by_id_.size() ? type_by_id_[index] : nullptr;
}

void EventReader::load_type(std::int64_t id) {
    Parameters parameters;
    parameters.add(id);
    const auto results = run([&] {
        connection_.send("SELECT name, version FROM daybook_event_type WHERE id = $1::bigint",
                         parameters);
    });
    const Result& found = results.back();
    if (found.rows() == 0) {
        throw CorruptError("store '" + connection_.connection_string().name + "': event type " +
                           std::to_string(id) +
                           " is used but not defined: restore the store from a backup");
    }
    const auto index = static_cast<std::size_t>(id);
    if (index >= type_by_id_.size()) type_by_id_.resize(index + 1);
    type_by_id_[index] = types_.intern(found.text(0, 0), found.int4(0, 1));
}

void EventReader::load_stream_names(const std::vector<UnresolvedName>& rows) {
    std::unordered_set<std::int64_t> asked;
    Array unknown{type::int8};
    for (const auto& [row, id] : rows) {
        if (asked.insert(id).second) unknown.add(id);
    }
    Parameters parameters;
    parameters.add(unknown, type::int8_array);
    const auto results = run([&] {
        connection_.send("SELECT id, name FROM daybook_stream WHERE id = ANY($1)", parameters);
    });
    const Result& names = results.back();
    for (int row = 0; row < names.rows(); ++row) {
        name_by_id_[names.int8(row, 0)] = names.text(row, 1);
    }
}

}  // namespace daybook::postgres
