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

/// A cached fold as it lies in the table.
struct Snapshot {
    Version version;
    EventId event;  ///< the newest one in it
    std::string state;
};

/// What a snapshot of this type has to be written under to be of use; empty if it can have none.
std::string snapshot_fingerprint(const FoldType& type);

/// The table `snapshot`: one row for each stream and `owner`, the type that folds it.
class SnapshotTable {
public:
    SnapshotTable(Sql& sql, std::string_view owner, std::string_view fingerprint) noexcept
        : sql_(sql), owner_(owner), fingerprint_(fingerprint) {}

    /// Nothing if there is none, or none of this fingerprint.
    std::optional<Snapshot> find(const StreamName& stream);
    /// In place of whatever was there.
    void put(const StreamName& stream, const Snapshot& snapshot, Timestamp taken_at);

private:
    Sql& sql_;
    std::string_view owner_;
    std::string_view fingerprint_;
};

}  // namespace daybook::detail
