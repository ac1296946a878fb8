#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daybook/core/ordinal.hpp"
#include "daybook/eventstore/read_options.hpp"
#include "engine/sqlite/connection.hpp"

// Which events a stream holds (see 0006_stream_run.sql):
//
//     append ──> stream_run_new ──> stream_run_recent ──> stream_run
//                2,000 rows         32,000 rows or more   the rest
//
// It is a merge tree of three levels. All of it is rows, so what a transaction, a rollback, a crash
// or another process does to it is what SQLite does to rows. Only where the next slice begins and
// about how many rows the middle level has is kept in memory, and any value of these is right.

namespace daybook::sqlite {

/// The levels, oldest runs first: a stream read forward goes through them in this order.
inline constexpr std::array<std::string_view, 3> stream_levels{
    "daybook_stream_run", "daybook_stream_run_recent", "daybook_stream_run_new"};

/// Reads a stream's part of one level: parameters are stream, first version looked for, rows at
/// most; columns those of EventReader. All levels have to be read in one transaction.
const std::string& stream_page_statement(std::size_t level, Direction direction);

/// How a slice of a level moves on; `level` is not the oldest one, 0. Parameters of `end`: the
/// first stream, rows to skip; of `copy` and `remove`: the first stream, the last row's stream and
/// version.
struct StreamSliceStatements {
    std::string count;   ///< rows of the level
    std::string end;     ///< stream and version of the slice's last row
    std::string copy;    ///< into the level before
    std::string remove;  ///< from this one
};
const StreamSliceStatements& stream_slice_statements(std::size_t level);

/// An SQL expression: the version of the stream whose id `stream` stands for.
std::string stream_version_expression(std::string_view stream);

/// The writer's part. Used inside its write transactions.
class StreamIndex {
public:
    explicit StreamIndex(Connection& connection);

    /// The run of `events` that ends with this version and position.
    void add(std::int64_t stream, Version version, Position position, std::size_t events);
    /// Moves on what is too much in a level, once there is a slice of it. Called before a commit.
    void settle(Position head);

private:
    static constexpr std::int64_t new_runs_max = 2'000;
    static constexpr std::int64_t recent_runs_max = 32'000;
    /// Measured in the log's length, so that a slice meets as many rows to a page in a large store.
    static constexpr std::int64_t recent_share = 32;
    static constexpr std::int64_t slice_runs = 256;

    /// A count of the middle level reads all of it; one is made for so many that came into it.
    static constexpr std::int64_t runs_to_a_count = 64 * slice_runs;

    std::int64_t count(std::size_t level);
    /// Moves so many runs into the level before, or fewer at the end of the key space. Returns how
    /// many.
    std::int64_t move_on(std::size_t level, std::int64_t runs);
    /// Runs a bound statement that adds or removes rows.
    void change(Statement& statement);

    Connection& connection_;
    Statement& add_;
    std::int64_t added_ = slice_runs;  ///< since the last look; a program's first commit looks
    std::int64_t recent_runs_ = 0;     ///< as counted, and what was moved from here since then
    std::int64_t uncounted_ = runs_to_a_count;  ///< runs that were moved into it since then
    std::array<std::int64_t, stream_levels.size()> next_stream_{};  ///< where a slice begins
};

}  // namespace daybook::sqlite
