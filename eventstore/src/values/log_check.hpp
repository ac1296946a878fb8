#pragma once

#include <string_view>

#include "daybook/eventstore/log_point.hpp"
#include "daybook/eventstore/sql.hpp"

// Checks that a log still is the one that was read.

namespace daybook::detail {

/// Throws InvalidError: the log of the store `name` does not hold the event of `known`. `store` is
/// the store's identity, nil if the caller does not have it.
[[noreturn]] void fail_other_log(std::string_view name, const LogPoint& known,
                                 const EventId& store);
/// Throws InvalidError: a reader should start after a position that the log does not have.
[[noreturn]] void fail_beyond_head(std::string_view name, Position position);

/// The event at a position; nil if there is none.
EventId event_at(Sql& store, Position position);

/// `known` moved to the event at `to`, or unchanged if there is none. Calls `fail_other_log` if the
/// log does not hold `known`. `store` must see one state of the log.
LogPoint advance_point(Sql& store, std::string_view name, const LogPoint& known, Position to);

}  // namespace daybook::detail
