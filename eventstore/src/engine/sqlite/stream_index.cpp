#include "engine/sqlite/stream_index.hpp"

#include <algorithm>
#include <limits>

#include "daybook/core/error.hpp"

namespace daybook::sqlite {

namespace {

constexpr std::string_view columns =
    "SELECT e.position, e.version, e.type, e.recorded_at, e.id, e.correlation, e.causation, "
    "e.data, e.metadata, e.stream FROM ";

// Only of the run in which the page starts a part may be wanted. Most runs are one event, and the
// CASE spares the computation for them.
std::string page_statement(std::string_view level, Direction direction) {
    const std::string table{level};
    const std::string from = std::string(columns) + table +
                             " r CROSS JOIN daybook_event e WHERE r.stream = ?1 AND r.version ";
    if (direction == Direction::forward) {
        return from +
               ">= ?2 AND e.position BETWEEN CASE r.events WHEN 1 THEN r.position "
               "ELSE r.position - min(r.events - 1, r.version - ?2) END AND r.position "
               "ORDER BY r.version, e.position LIMIT ?3";
    }
    // The key of a row is its last version, so the run that holds ?2 is the first with a key >= ?2.
    return from + "<= coalesce((SELECT version FROM " + table +
           " WHERE stream = ?1 AND version >= ?2 ORDER BY version LIMIT 1), ?2) "
           "AND e.position BETWEEN "
           "r.position - r.events + 1 AND r.position - max(0, r.version - ?2) "
           "ORDER BY r.version DESC, e.position DESC LIMIT ?3";
}

std::array<std::string, stream_levels.size()> page_statements(Direction direction) {
    std::array<std::string, stream_levels.size()> statements;
    std::transform(stream_levels.begin(), stream_levels.end(), statements.begin(),
                   [=](std::string_view level) { return page_statement(level, direction); });
    return statements;
}

StreamSliceStatements slice_statements(std::size_t level) {
    const std::string table{stream_levels[level]};
    const std::string slice =
        "FROM " + table + " WHERE stream >= ?1 AND (stream, version) <= (?2, ?3)";
    // With OR FAIL, SQLite needs no statement journal. It would undo a failed statement alone, but
    // after any error here the whole transaction is rolled back.
    return {"SELECT count(*) FROM " + table,
            "SELECT stream, version FROM " + table +
                " WHERE stream >= ? ORDER BY stream, version LIMIT 1 OFFSET ?",
            "INSERT OR FAIL INTO " + std::string(stream_levels[level - 1]) +
                "(stream, version, position, events) SELECT stream, version, position, events " +
                slice + " ORDER BY stream, version",
            "DELETE " + slice};
}

}  // namespace

const std::string& stream_page_statement(std::size_t level, Direction direction) {
    static const auto forward = page_statements(Direction::forward);
    static const auto backward = page_statements(Direction::backward);
    return (direction == Direction::forward ? forward : backward)[level];
}

const StreamSliceStatements& stream_slice_statements(std::size_t level) {
    static const std::array statements{slice_statements(1), slice_statements(2)};
    return statements[level - 1];
}

std::string stream_version_expression(std::string_view stream) {
    std::string expression = "coalesce(";
    for (auto level = stream_levels.rbegin(); level != stream_levels.rend(); ++level) {
        expression += "(SELECT max(version) FROM " + std::string(*level) +
                      " WHERE stream = " + std::string(stream) + "), ";
    }
    return expression + "0)";
}

StreamIndex::StreamIndex(Connection& connection)
    : connection_(connection),
      add_(connection.statement(
          "INSERT INTO daybook_stream_run_new(stream, version, position, events) "
          "VALUES(?, ?, ?, ?)")) {}

void StreamIndex::add(std::int64_t stream, Version version, Position position, std::size_t events) {
    const Resetting resetting{add_};
    add_.bind(1, stream);
    add_.bind(2, version);
    add_.bind(3, position);
    add_.bind(4, static_cast<std::int64_t>(events));
    change(add_);
    ++added_;
}

void StreamIndex::compact(Position head) {
    if (added_ < slice_runs) return;
    added_ = 0;
    const std::int64_t arrived = move_to_older_level(2, count(2) - new_runs_max);
    recent_runs_ += arrived;
    uncounted_ += arrived;
    if (uncounted_ >= runs_to_a_count) {
        recent_runs_ = count(1);
        uncounted_ = 0;
    }
    const auto share = static_cast<std::int64_t>(head.value()) / recent_share;
    const std::int64_t excess = recent_runs_ - std::max(recent_runs_max, share);
    // The count may show many rows that other processes have left. They are moved in several
    // commits, so that no single one takes long.
    recent_runs_ -= move_to_older_level(1, std::min(excess, 2 * arrived));
}

std::int64_t StreamIndex::count(std::size_t level) {
    return connection_.integer(stream_slice_statements(level).count);
}

std::int64_t StreamIndex::move_to_older_level(std::size_t level, std::int64_t runs) {
    if (runs <= 0) return 0;
    const StreamSliceStatements& slice = stream_slice_statements(level);
    // A slice starts at the first run of a stream, even if the last slice ended inside that stream:
    // newer runs were added since, and the oldest have to move first.
    const std::int64_t first = next_stream_[level];
    std::int64_t last_stream = std::numeric_limits<std::int64_t>::max();
    std::int64_t last_version = last_stream;
    next_stream_[level] = 0;
    {
        Statement& end = connection_.statement(slice.end);
        const Resetting resetting{end};
        end.bind(1, first);
        end.bind(2, runs - 1);
        if (end.step()) {
            last_stream = end.integer(0);
            last_version = end.integer(1);
            next_stream_[level] = last_stream;
        }
    }
    for (const std::string* sql : {&slice.copy, &slice.remove}) {
        Statement& statement = connection_.statement(*sql);
        const Resetting resetting{statement};
        statement.bind(1, first);
        statement.bind(2, last_stream);
        statement.bind(3, last_version);
        change(statement);
    }
    return sqlite3_changes64(connection_.handle());
}

void StreamIndex::change(Statement& statement) {
    const int code = statement.try_step();
    if (code == SQLITE_DONE) return;
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY) {
        throw CorruptError(connection_.path() +
                           ": the index of streams holds a version already that is new to its "
                           "stream: restore the store from a backup");
    }
    connection_.fail(code, sqlite3_sql(statement.handle()));
}

}  // namespace daybook::sqlite
