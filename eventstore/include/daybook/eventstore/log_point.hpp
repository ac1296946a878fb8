#pragma once

#include <string>
#include <string_view>

#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"

namespace daybook {

/// A checkpoint of a log's reader, which also identifies the log. A position alone is not enough:
/// in a store that was restored from a backup, created again under the same name, or replaced,
/// another event may have this position, and a reader would skip events or repeat them.
///
/// The event decides. If a log has it at this position, it is the log that was read, up to there; a
/// copy by `migrate` counts as the same log. If it does not, the ids of the stores tell the error
/// text what has happened.
struct LogPoint {
    constexpr LogPoint() noexcept = default;
    /// For a reader that has stored a position only. It is not checked, unless the log ends before
    /// it.
    constexpr LogPoint(Position at) noexcept : position(at) {}
    constexpr LogPoint(std::uint64_t at) noexcept : position(at) {}
    constexpr LogPoint(Position at, const EventId& newest, const EventId& identity) noexcept
        : position(at), event(newest), store(identity) {}

    Position position;  ///< all events up to here were read
    EventId event{};    ///< the event at `position`; nil at position 0, or if unknown
    EventId store{};    ///< EventStore::identity(); nil if unknown

    constexpr bool operator==(const LogPoint&) const noexcept = default;
};

/// `17 0190…-… 0190…-…`, to store in a file or a column.
std::string to_string(const LogPoint& point);
/// Parses the text of `to_string`, or a position alone. Throws InvalidError.
LogPoint parse_log_point(std::string_view text);

}  // namespace daybook
