#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

struct TransferTable {
    std::string_view name;
    /// The column by which the target numbers its rows anew, in their order; or empty.
    std::string_view numbering{};
};

/// What a migration copies besides the events.
inline constexpr std::array copied_tables{
    TransferTable{"snapshot"},
    TransferTable{"inbox"},
    TransferTable{"outbox", "sequence"},
    TransferTable{"dead_letter", "number"},
    TransferTable{"saga"},
    TransferTable{"saga_timer"},
    TransferTable{"saga_start"},
    TransferTable{"mirror"},
    TransferTable{"mirror_dropped"},
};

/// What it does not: the log, which is copied in another way; leases, which die with their owners;
/// read models with their books, which the target makes anew; a migration's own record.
inline constexpr std::array<std::string_view, 10> left_tables{"category",
                                                              "stream",
                                                              "event_type",
                                                              "event",
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
