#pragma once

#include <string>
#include <string_view>

#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"

namespace daybook {

/// How far a log was read, so that the log is known again: the checkpoint of whoever reads it. A
/// position alone says little of a store that was put back from a backup, begun anew under the same
/// name, or replaced: there may be another event at it.
///
/// The event decides. A log that has it at its position is the log that was read, up to there:
/// copies by `migrate` are good for it as well. The store tells in an error what became of the log
/// that does not have it.
struct LogPoint {
    constexpr LogPoint() noexcept = default;
    /// Of a reader that has kept no more: taken as it is, unless the log ends before it.
    constexpr LogPoint(Position at) noexcept : position(at) {}
    constexpr LogPoint(std::uint64_t at) noexcept : position(at) {}
    constexpr LogPoint(Position at, const EventId& newest, const EventId& of) noexcept
        : position(at), event(newest), store(of) {}

    Position position;  ///< everything up to here
    EventId event{};    ///< the one at `position`; nil before the first one, or if unknown
    EventId store{};    ///< EventStore::identity(); nil if unknown

    constexpr bool operator==(const LogPoint&) const noexcept = default;
};

/// `17 0190…-… 0190…-…`: to be kept in a file or a column.
std::string to_string(const LogPoint& point);
/// Reads that, or a position alone. Throws InvalidError.
LogPoint parse_log_point(std::string_view text);

}  // namespace daybook
