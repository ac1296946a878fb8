#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/recorded_batch.hpp"
#include "transfer/pipeline.hpp"
#include "transfer/source_place.hpp"

namespace daybook::detail {

/// What a mirror keeps in its target, so that events and checkpoint commit together.
class MirrorLedger {
public:
    MirrorLedger(EventStore target, std::string name)
        : target_(std::move(target)), name_(std::move(name)) {}

    /// Takes the name over from whoever has had it. A mirror that is new here begins at `begin`.
    void claim(const LogPoint& begin);
    bool claimed() const noexcept { return epoch_ > 0; }
    /// Reads the checkpoint again. False if the target knows nothing of the claim: it was put back
    /// from a backup or made again, and has to be claimed anew. Throws an error of kind conflict if
    /// another has claimed the name.
    bool load();
    /// What is stored from now on comes from the source of this identity.
    void set_source(const EventId& identity) noexcept { source_ = identity; }

    /// Stores what was not dropped, and the checkpoint with it.
    void store(std::vector<TransferEvent>& events);

    const LogPoint& point() const noexcept { return point_; }
    std::uint64_t stored() const noexcept { return stored_; }
    std::uint64_t dropped() const noexcept { return dropped_; }

private:
    struct Row {
        LogPoint point;
        std::uint64_t stored = 0;
        std::uint64_t dropped = 0;
        std::int64_t epoch = 0;
    };

    std::optional<Row> find(Sql& db) const;
    void take(const Row& row);
    std::uint64_t& dropped_of(Sql& sql, const std::string& stream);
    [[noreturn]] void fail_fenced() const;
    [[noreturn]] void fail_overtaken(Sql& db) const;

    static constexpr std::size_t streams_kept_max = 100'000;

    EventStore target_;
    const std::string name_;
    std::int64_t epoch_ = 0;
    EventId source_;
    LogPoint point_;
    std::uint64_t stored_ = 0;
    std::uint64_t dropped_ = 0;
    std::map<std::string, std::uint64_t> dropped_by_stream_;  ///< as far as it was asked for
    RecordedBatch batch_;
};

}  // namespace daybook::detail
