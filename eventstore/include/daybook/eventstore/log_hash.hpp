#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "daybook/core/ordinal.hpp"
#include "daybook/eventstore/event_store.hpp"
#include "daybook/eventstore/event_view.hpp"

namespace daybook {

/// A running SHA-256 over events. Each value is the hash of the one before it and all recorded
/// fields of an event (position, stream, version, type, recorded_at, id, trace, data, metadata).
/// Two logs with the same hash hold the same events in the same order.
class LogHash {
public:
    void add(EventView event);

    /// How many events were added.
    std::uint64_t events() const noexcept { return events_; }
    /// 64 hexadecimal digits; empty before the first event.
    const std::string& value() const noexcept { return value_; }

    bool operator==(const LogHash& other) const noexcept {
        return events_ == other.events_ && value_ == other.value_;
    }

private:
    void add_number(std::uint64_t number);
    void add_text(std::string_view text);

    std::uint64_t events_ = 0;
    std::string value_;
    std::string link_;
};

/// Called after each page with the number of events read.
using HashProgress = std::function<void(std::uint64_t events)>;

/// Reads the log from its first event up to `until` as it was written (nothing is upcast), with the
/// memory of one page. Throws what reading throws, CancelledError when `stop` is requested.
LogHash hash_log(const EventStore& store, Position until, const HashProgress& progress = {},
                 const std::stop_token& stop = {});

}  // namespace daybook
