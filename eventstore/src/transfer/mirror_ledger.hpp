#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/recorded_batch.hpp"
#include "transfer/pipeline.hpp"
#include "transfer/source_place.hpp"

namespace daybook::detail {

/// What a mirror keeps in its target, so that events and book commit together.
class MirrorLedger {
public:
    MirrorLedger(EventStore target, std::string name)
        : target_(std::move(target)), name_(std::move(name)) {}

    /// Takes the name over from whoever has had it. A mirror that is new here begins at `begin`.
    void claim(const SourcePlace& begin);
    bool claimed() const noexcept { return epoch_ > 0; }
    /// Reads the book again. Throws an error of kind conflict if another has claimed the name.
    void load();

    /// Stores what was not dropped, and the book with it.
    void store(std::vector<TransferEvent>& events);

    const SourcePlace& place() const noexcept { return place_; }
    std::uint64_t stored() const noexcept { return stored_; }
    std::uint64_t dropped() const noexcept { return dropped_; }

private:
    std::uint64_t& dropped_of(Sql& sql, const std::string& stream);
    [[noreturn]] void fail_fenced() const;

    static constexpr std::size_t streams_kept_max = 100'000;

    EventStore target_;
    const std::string name_;
    std::int64_t epoch_ = 0;
    SourcePlace place_;
    std::uint64_t stored_ = 0;
    std::uint64_t dropped_ = 0;
    std::map<std::string, std::uint64_t> dropped_by_stream_;  ///< as far as it was asked for
    RecordedBatch batch_;
};

}  // namespace daybook::detail
