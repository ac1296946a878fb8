#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

struct TransferTable {
    std::string_view name;
    /// The columns that identify a row and give the order, as in an ORDER BY.
    std::string_view key;
    /// The key is a number that the target assigns again, in the order of the source.
    bool numbered = false;

    /// Without the prefix of the store's tables.
    constexpr std::string_view shown_name() const noexcept {
        return name.substr(std::string_view{"daybook_"}.size());
    }
};

/// The tables that a migration copies besides the events.
inline constexpr std::array copied_tables{
    TransferTable{"daybook_snapshot", "stream, aggregate"},
    TransferTable{"daybook_inbox", "consumer, id"},
    TransferTable{"daybook_outbox", "sequence", true},
    TransferTable{"daybook_dead_letter", "number", true},
    TransferTable{"daybook_saga", "definition, key"},
    TransferTable{"daybook_saga_timer", "definition, key, kind"},
    TransferTable{"daybook_saga_start", "definition"},
    TransferTable{"daybook_saga_failed_start", "definition, position"},
    TransferTable{"daybook_mirror", "name"},
    TransferTable{"daybook_mirror_dropped", "mirror, stream"},
};

/// The tables that it does not copy: the log and what an engine stores about it and itself; leases,
/// which end with their owners; read models and their checkpoints, which the target rebuilds; the
/// row of the migration itself.
inline constexpr std::array<std::string_view, 17> left_tables{
    "daybook_schema",      "daybook_store",          "daybook_category",
    "daybook_stream",      "daybook_event_type",     "daybook_event",
    "daybook_stream_run",  "daybook_stream_run_new", "daybook_stream_run_recent",
    "daybook_transaction", "daybook_server_life",    "daybook_lease",
    "daybook_projection",  "daybook_rebuild",        "daybook_checkpoint",
    "daybook_set_aside",   "daybook_migration"};

bool is_empty(Sql& store, const TransferTable& table);
/// Replaces the rows of the target's table by those of the source's. Returns their number.
std::uint64_t copy_table(Sql& source, Sql& target, const TransferTable& table);

}  // namespace daybook::detail
