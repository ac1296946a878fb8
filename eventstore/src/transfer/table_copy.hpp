#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

struct TransferTable {
    std::string_view name;
    /// What its rows are told apart and ordered by, as in an ORDER BY.
    std::string_view key;
    /// The key is a number that the target gives anew, in the order of the source.
    bool numbered = false;
};

/// What a migration copies besides the events.
inline constexpr std::array copied_tables{
    TransferTable{"snapshot", "stream, aggregate"},
    TransferTable{"inbox", "consumer, id"},
    TransferTable{"outbox", "sequence", true},
    TransferTable{"dead_letter", "number", true},
    TransferTable{"saga", "definition, key"},
    TransferTable{"saga_timer", "definition, key, kind"},
    TransferTable{"saga_start", "definition"},
    TransferTable{"mirror", "name"},
    TransferTable{"mirror_dropped", "mirror, stream"},
};

/// What it does not: the log with all that an engine keeps about it and itself; leases, which die
/// with their owners; read models with their books, which the target makes anew; a migration's own
/// record.
inline constexpr std::array<std::string_view, 16> left_tables{"daybook_schema",
                                                              "category",
                                                              "stream",
                                                              "event_type",
                                                              "event",
                                                              "stream_run",
                                                              "stream_run_new",
                                                              "stream_run_recent",
                                                              "unit",
                                                              "server_life",
                                                              "lease",
                                                              "projection",
                                                              "rebuild",
                                                              "daybook_checkpoint",
                                                              "daybook_set_aside",
                                                              "migration"};

bool is_empty(Sql& store, const TransferTable& table);
/// Replaces the rows of the target's table by those of the source's. Returns their number.
std::uint64_t copy_table(Sql& source, Sql& target, const TransferTable& table);

}  // namespace daybook::detail
