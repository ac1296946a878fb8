#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/lease.hpp"
#include "daybook/eventstore/recorded_batch.hpp"
#include "transfer/pipeline.hpp"
#include "transfer/source_point.hpp"

namespace daybook::detail {

/// The checkpoint of a mirror and its counters. They are stored in the target and commit with the
/// events: an event is never stored without them, or twice. They belong to the holder of the lease
/// `mirror:<name>`, whose token is the fence: a mirror that starts takes the lease from the one
/// that holds it, and the older one stores nothing from then on.
class MirrorCheckpoint {
public:
    MirrorCheckpoint(EventStore target, std::string name);

    /// Claims the name; a mirror that had it before can store nothing more. If the name is new in
    /// the target, the checkpoint is `start`.
    void claim(const LogPoint& start);
    bool claimed() const noexcept { return lease_.has_value(); }
    /// Reads the checkpoint again. False if the target does not hold the claim: it was restored
    /// from a backup or created again, and the name has to be claimed again. Throws an error of
    /// kind conflict if another mirror has claimed the name.
    bool load();
    /// Sets the identity of the source, for the checkpoints that follow.
    void set_source(const EventId& identity) noexcept { source_ = identity; }

    /// Stores the events that were not dropped and the checkpoint, in one transaction.
    void store(std::vector<TransferEvent>& events);

    const LogPoint& point() const noexcept { return point_; }
    std::uint64_t stored() const noexcept { return stored_; }
    std::uint64_t dropped() const noexcept { return dropped_; }

private:
    struct Row {
        LogPoint point;
        std::uint64_t stored = 0;
        std::uint64_t dropped = 0;
    };

    std::optional<Row> find(Sql& db) const;
    /// Whether another mirror has acquired the lease since. False also for a lease of a backup.
    bool is_fenced(const std::optional<Lease>& now) const;
    void take(const Row& row);
    std::uint64_t& dropped_of(Sql& sql, const std::string& stream);
    [[noreturn]] void fail_fenced() const;
    [[noreturn]] void fail_overtaken(Transaction& tx) const;

    static constexpr std::size_t streams_kept_max = 100'000;

    EventStore target_;
    const std::string name_;
    Leases leases_;
    const std::string owner_;
    std::optional<Lease> lease_;
    EventId source_;
    LogPoint point_;
    std::uint64_t stored_ = 0;
    std::uint64_t dropped_ = 0;
    std::map<std::string, std::uint64_t> dropped_by_stream_;  ///< a cache
    RecordedBatch batch_;
};

}  // namespace daybook::detail
