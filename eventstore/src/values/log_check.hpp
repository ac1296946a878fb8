#pragma once

#include <string_view>

#include "daybook/eventstore/log_point.hpp"
#include "daybook/eventstore/sql.hpp"

// Whether a log is still the one that was read.

namespace daybook::detail {

/// Throws InvalidError: the log of the store `name` does not hold what `known` says. `store` is its
/// identity, nil if that is not known here.
[[noreturn]] void fail_other_log(std::string_view name, const LogPoint& known,
                                 const EventId& store);
/// Throws InvalidError: somebody is to begin after a position that the log does not have.
[[noreturn]] void fail_beyond_head(std::string_view name, Position position);

/// The event at a position; nil if there is none.
EventId event_at(Sql& store, Position position);

/// `known` moved on to the event at `to`; left where it is if there is none. Throws what
/// `fail_other_log` does. `store` sees one state of the log.
LogPoint advance_point(Sql& store, std::string_view name, const LogPoint& known, Position to);

}  // namespace daybook::detail
