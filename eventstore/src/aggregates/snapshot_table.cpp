#include "aggregates/snapshot_table.hpp"

#include <exception>

#include "daybook/core/fingerprint.hpp"

namespace daybook::detail {

namespace {

constexpr std::string_view find_snapshot =
    "SELECT version, event, state FROM daybook_snapshot "
    "WHERE stream = ? AND aggregate = ? AND fingerprint = ?";

constexpr std::string_view put_snapshot =
    "INSERT INTO daybook_snapshot(stream, aggregate, fingerprint, version, event, state, taken_at) "
    "VALUES(?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT(stream, aggregate) DO UPDATE SET fingerprint = excluded.fingerprint, "
    "version = excluded.version, event = excluded.event, state = excluded.state, "
    "taken_at = excluded.taken_at";

}  // namespace

std::string snapshot_fingerprint(const FoldType& type) {
    if (!type.can_snapshot()) return {};
    std::string shape = std::to_string(type.snapshot_version);
    for (const FoldStep& step : type.steps) {
        shape.append("\n").append(step.type.name).append(" ");
        shape += std::to_string(step.type.version);
    }
    shape += '\n';
    try {
        type.encode_first(shape);
    } catch (const std::exception&) {
        // The first state cannot be constructed from this name, or not be encoded while it is
        // empty. The fingerprint then covers the events alone.
    }
    return fingerprint(shape);
}

std::optional<Snapshot> SnapshotTable::find(const StreamName& stream) {
    std::optional<Snapshot> found;
    sql_.each(
        find_snapshot,
        [&](const SqlRow& row) {
            found = Snapshot{static_cast<std::uint64_t>(row.integer(0)), row.id(1),
                             std::string(row.text(2))};
        },
        stream.str(), owner_, fingerprint_);
    return found;
}

void SnapshotTable::put(const StreamName& stream, const Snapshot& snapshot, Timestamp taken_at) {
    sql_.exec(put_snapshot, stream.str(), owner_, fingerprint_, snapshot.version, snapshot.event,
              snapshot.state, taken_at);
}

}  // namespace daybook::detail
