#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/ordinal.hpp"
#include "daybook/eventstore/read_options.hpp"
#include "engine/sqlite/connection.hpp"

// The index from a stream to its events, in runs of neighbouring positions (see
// 0006_stream_run.sql):
//
//     append ──> stream_run_new ──> stream_run_recent ──> stream_run
//                2,000 rows         32,000 rows or more   the rest
//
// It is a merge tree of three levels. All of it is stored as rows, so transactions, rollbacks,
// crashes and other processes need no code of their own here. Memory holds only where the next
// slice starts and an estimate of the middle level's rows; they affect the speed, never the result.

namespace daybook::sqlite {

/// The levels, oldest runs first: a stream read forward goes through them in this order.
inline constexpr std::array<std::string_view, 3> stream_levels{
    "daybook_stream_run", "daybook_stream_run_recent", "daybook_stream_run_new"};

/// Selects the events of a stream from one level. The parameters are the stream, the first version
/// wanted and the maximum of rows; the columns are those of EventReader. All levels have to be read
/// in one transaction, because runs move from level to level.
const std::string& stream_page_statement(std::size_t level, Direction direction);

/// The statements that move a slice of a level into the next older one. `level` is 1 or 2. The
/// parameters of `end` are the first stream and the rows to skip; those of `copy` and `remove` are
/// the first stream, and the stream and version of the last row.
struct StreamSliceStatements {
    std::string count;   ///< rows of the level
    std::string end;     ///< stream and version of the slice's last row
    std::string copy;    ///< copies the slice into the next older level
    std::string remove;  ///< removes it from this one
};
const StreamSliceStatements& stream_slice_statements(std::size_t level);

/// An SQL expression for the version of a stream; `stream` is an expression for its id.
std::string stream_version_expression(std::string_view stream);

/// Adds to the index. Used by the writer inside its transactions.
class StreamIndex {
public:
    explicit StreamIndex(Connection& connection);

    /// Adds a run of so many events, which ends with this version and position.
    void add(std::int64_t stream, Version version, Position position, std::size_t events);
    /// Moves rows above a level's limit into the next older one, once they make a slice. Called
    /// before each commit.
    void compact(Position head);

private:
    static constexpr std::int64_t new_runs_max = 2'000;
    static constexpr std::int64_t recent_runs_max = 32'000;
    /// The middle level may hold this share of the log's length. A fixed limit would make slices of
    /// a large store slow: their rows would be spread over more pages of the oldest level.
    static constexpr std::int64_t recent_share = 32;
    static constexpr std::int64_t slice_runs = 256;

    /// A count of the middle level reads all of it, so its rows are counted only after so many have
    /// been moved into it.
    static constexpr std::int64_t runs_to_a_count = 64 * slice_runs;

    std::int64_t count(std::size_t level);
    /// Moves so many runs into the next older level, or fewer at the end of the key space. Returns
    /// how many.
    std::int64_t move_to_older_level(std::size_t level, std::int64_t runs);
    /// Runs a bound statement that adds or removes rows.
    void change(Statement& statement);

    Connection& connection_;
    Statement& add_;
    std::int64_t added_ = slice_runs;           ///< since the last check; the first commit checks
    std::int64_t recent_runs_ = 0;              ///< as last counted, plus what was moved since then
    std::int64_t uncounted_ = runs_to_a_count;  ///< runs moved into it since the last count
    std::array<std::int64_t, stream_levels.size()> next_stream_{};  ///< where a slice starts
};

}  // namespace daybook::sqlite
