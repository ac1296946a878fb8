#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daybook/core/clock.hpp"
#include "daybook/core/event_id.hpp"
#include "daybook/core/ordinal.hpp"
#include "daybook/core/stream_name.hpp"
#include "daybook/eventstore/fold.hpp"
#include "daybook/eventstore/sql.hpp"

namespace daybook::detail {

/// A row of the table.
struct Snapshot {
    Version version;
    EventId event;  ///< the newest event in it
    std::string state;
};

/// The fingerprint of a type. A snapshot with another one does not fit it. Empty if the type has no
/// snapshots.
std::string snapshot_fingerprint(const FoldType& type);

/// The table `daybook_snapshot`: one row for each stream and `owner`, the type that folds it.
class SnapshotTable {
public:
    SnapshotTable(Sql& sql, std::string_view owner, std::string_view fingerprint) noexcept
        : sql_(sql), owner_(owner), fingerprint_(fingerprint) {}

    /// The snapshot; nothing if there is none with this fingerprint.
    std::optional<Snapshot> find(const StreamName& stream);
    /// Inserts the snapshot, or replaces the old one.
    void put(const StreamName& stream, const Snapshot& snapshot, Timestamp taken_at);

private:
    Sql& sql_;
    std::string_view owner_;
    std::string_view fingerprint_;
};

}  // namespace daybook::detail
