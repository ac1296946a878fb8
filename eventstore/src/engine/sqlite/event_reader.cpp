#include "engine/sqlite/event_reader.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "engine/sqlite/stream_index.hpp"
#include "values/log_check.hpp"
#include "values/sql_values.hpp"

namespace daybook::sqlite {

namespace {

using detail::bounded;

constexpr std::string_view columns =
    "SELECT position, version, type, recorded_at, id, correlation, causation, data, metadata, "
    "stream FROM daybook_event WHERE ";

constexpr std::string_view find_head = "SELECT max(position) FROM daybook_event";
constexpr std::string_view find_stream = "SELECT id FROM daybook_stream WHERE name = ?";
constexpr std::string_view find_event_id = "SELECT id FROM daybook_event WHERE position = ?";

/// How often SQLite has compiled a statement again, which it does after a change of the schema.
int compilations(const Statement& statement) noexcept {
    return sqlite3_stmt_status(statement.handle(), SQLITE_STMTSTATUS_REPREPARE, 0);
}

}  // namespace

EventReader::EventReader(Connection& connection, TypeTable& types)
    : connection_(connection),
      types_(types),
      head_(connection.statement(find_head)),
      stream_id_(connection.statement(find_stream)) {}

void EventReader::read(const PageRequest& request, EventPage& page) {
    page.clear();
    page.next_from = request.from;
    if (request.stream != nullptr) {
        read_stream(request, page);
    } else {
        read_log(request, page);
    }
    // Checked after the rows were read. If the log was replaced before that, this finds it; checked
    // first, a log that is replaced in between would go unnoticed.
    if (request.last_read != nullptr) require_event(*request.last_read);
}

void EventReader::require_event(const LogPoint& point) {
    if (point.position == Position{0}) return;
    Statement& query = connection_.statement(find_event_id);
    const Resetting resetting{query};
    query.bind(1, point.position);
    if (query.step() && query.id(0) == point.event) return;
    detail::fail_other_log(connection_.path(), point, {});
}

void EventReader::note_schema() {
    const int seen = compilations(head_) + compilations(stream_id_);
    if (seen != compilations_) drop_names();
    compilations_ = seen;
}

Version EventReader::version(const StreamName& stream) {
    static const std::string statement = "SELECT " +
                                         stream_version_expression("daybook_stream.id") +
                                         " FROM daybook_stream WHERE name = ?";
    Statement& query = connection_.statement(statement);
    const Resetting resetting{query};
    query.bind(1, std::string_view{stream.str()});
    return query.step() ? static_cast<std::uint64_t>(query.integer(0)) : 0;
}

Position EventReader::head() {
    const Resetting resetting{head_};
    const bool found = head_.step();
    note_schema();
    return found ? static_cast<std::uint64_t>(head_.integer(0)) : 0;
}

std::optional<std::int64_t> EventReader::stream_id(std::string_view name) {
    const Resetting resetting{stream_id_};
    stream_id_.bind(1, name);
    const bool found = stream_id_.step();
    note_schema();
    if (!found) return std::nullopt;
    return stream_id_.integer(0);
}

void EventReader::drop_names() {
    type_by_id_.clear();
    name_by_id_.clear();
}

void EventReader::read_stream(const PageRequest& request, EventPage& page) {
    // Runs move from level to level, so the levels have to be read in one transaction: otherwise a
    // run could be seen twice or not at all.
    const ReadTransaction one_state{connection_};
    const auto id = stream_id(request.stream->str());
    if (!id) {
        page.at_end = true;
        return;
    }
    const bool newest_first = request.direction == Direction::backward;
    const std::uint64_t from = newest_first && request.from == 0 ? unlimited : request.from;
    const std::string_view stream = page.keep(request.stream->str());
    const std::size_t levels = stream_levels.size();
    page.at_end = true;
    for (std::size_t i = 0; i < levels && page.at_end; ++i) {
        Statement& query = connection_.statement(
            stream_page_statement(newest_first ? levels - 1 - i : i, request.direction));
        const Resetting resetting{query};
        query.bind(1, *id);
        query.bind(2, bounded(from));
        query.bind(3, static_cast<std::int64_t>(request.events_max - page.rows.size()));
        page.at_end = fill(query, request, page, stream);
    }
    if (page.rows.empty()) return;
    const std::uint64_t last = page.rows.back().version.value();
    page.next_from = newest_first ? last - 1 : last + 1;
    page.at_end = page.at_end || page.next_from == 0;
}

void EventReader::read_log(const PageRequest& request, EventPage& page) {
    const bool backward = request.direction == Direction::backward;
    // The head is read before the rows, and no row beyond it is read. So `scanned_to` is right
    // without a transaction around both: later events are left for the next page.
    const std::uint64_t newest = head().value();
    std::uint64_t from = request.from;
    if (backward) {
        from = from == 0 ? newest : std::min(from, newest);
    } else {
        from = std::max<std::uint64_t>(from, 1);
    }
    page.scanned_to = backward ? Position{} : Position{from - 1};
    const auto kept = connection_.variable_statement(log_statement(request));
    Statement& query = *kept;
    while (backward ? from >= 1 : from <= newest) {
        const std::uint64_t until =
            backward ? (from > scanned_positions_max ? from - scanned_positions_max + 1 : 1)
                     : std::min(newest, from + scanned_positions_max - 1);
        const Resetting resetting{query};
        query.bind(1, bounded(std::min(from, until)));
        query.bind(2, bounded(std::max(from, until)));
        query.bind(3, static_cast<std::int64_t>(request.events_max));
        const bool window_done = fill(query, request, page, {});
        const std::uint64_t scanned = window_done ? until : page.rows.back().position.value();
        from = backward ? scanned - 1 : scanned + 1;
        if (!backward) page.scanned_to = Position{scanned};
        if (!page.rows.empty()) break;
    }
    page.next_from = from;
    page.at_end = backward ? from == 0 : from > newest;
}

bool EventReader::fill(Statement& query, const PageRequest& request, EventPage& page,
                       std::string_view stream) {
    while (query.step()) {
        EventRow& row = page.rows.emplace_back();
        row.position = static_cast<std::uint64_t>(query.integer(0));
        row.version = static_cast<std::uint64_t>(query.integer(1));
        row.type = type(query.integer(2));
        row.recorded_at = Timestamp{std::chrono::microseconds{query.integer(3)}};
        row.id = query.id(4);
        row.correlation = query.id(5);
        row.causation = query.id(6);
        row.data = page.keep(query.text(7));
        row.metadata = page.keep(query.text(8));
        row.stream = stream.data() != nullptr ? stream : stream_name(query.integer(9), page);
        const bool full =
            page.rows.size() == request.events_max || page.bytes() >= request.bytes_max;
        if (full) return false;
    }
    return true;
}

std::string EventReader::log_statement(const PageRequest& request) {
    std::string sql{columns};
    sql += "position BETWEEN ? AND ?";
    if (request.filter != nullptr) {
        sql += id_condition("category", "SELECT id FROM daybook_category WHERE name = ?",
                            request.filter->categories);
        sql += id_condition("type", "SELECT id FROM daybook_event_type WHERE name = ?",
                            request.filter->types);
    }
    sql += request.direction == Direction::forward ? " ORDER BY position LIMIT ?"
                                                   : " ORDER BY position DESC LIMIT ?";
    return sql;
}

std::string EventReader::id_condition(std::string_view column, std::string_view sql,
                                      const std::vector<std::string>& names) {
    if (names.empty()) return {};
    // The ids are part of the text, not parameters: a program has few different filters, and each
    // has its own cached statement.
    std::string ids;
    Statement& query = connection_.statement(sql);
    for (const std::string& name : names) {
        const Resetting resetting{query};
        query.bind(1, std::string_view{name});
        while (query.step()) {
            if (!ids.empty()) ids += ',';
            ids += std::to_string(query.integer(0));
        }
    }
    // The unary plus keeps SQLite from leaving the order of positions for an index.
    return " AND +" + std::string(column) + " IN (" + ids + ")";
}

const TypeEntry* EventReader::type(std::int64_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index < type_by_id_.size() && type_by_id_[index] != nullptr) return type_by_id_[index];
    Statement& query =
        connection_.statement("SELECT name, version FROM daybook_event_type WHERE id = ?");
    const Resetting resetting{query};
    query.bind(1, id);
    if (!query.step()) {
        throw CorruptError(connection_.path() + ": event type " + std::to_string(id) +
                           " is used but not defined: restore the store from a backup");
    }
    if (index >= type_by_id_.size()) type_by_id_.resize(index + 1);
    type_by_id_[index] = types_.intern(query.text(0), static_cast<int>(query.integer(1)));
    return type_by_id_[index];
}

std::string_view EventReader::stream_name(std::int64_t id, EventPage& page) {
    const auto index = static_cast<std::size_t>(id);
    const bool cacheable = id < names_cached_max;
    if (cacheable && index < name_by_id_.size() && !name_by_id_[index].empty()) {
        return page.keep(name_by_id_[index]);
    }
    Statement& query = connection_.statement("SELECT name FROM daybook_stream WHERE id = ?");
    const Resetting resetting{query};
    query.bind(1, id);
    if (!query.step()) {
        throw CorruptError(connection_.path() + ": stream " + std::to_string(id) +
                           " has events but no name: restore the store from a backup");
    }
    if (!cacheable) return page.keep(query.text(0));
    if (index >= name_by_id_.size()) name_by_id_.resize(index + 1);
    name_by_id_[index] = query.text(0);
    return page.keep(name_by_id_[index]);
}

}  // namespace daybook::sqlite
