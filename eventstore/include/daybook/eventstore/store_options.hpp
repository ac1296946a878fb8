#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "daybook/core/clock.hpp"
#include "daybook/core/log.hpp"

namespace daybook {

class EventCatalog;

/// What a returned append survives.
enum class Durability {
    full,    ///< a power loss (the default)
    normal,  ///< the end of the process; a power loss may take the newest commits
    off,     ///< neither: for tests and temporary stores
};

/// How to open a store.
struct StoreOptions {
    /// Create the store if it does not exist; otherwise `open` throws NotFoundError.
    bool create = true;
    Durability durability = Durability::full;
    /// How long a write waits for other processes before it throws UnavailableError; zero: not at
    /// all.
    std::chrono::milliseconds busy_wait_max{10'000};
    /// How long a server may take for a reply before the connection counts as lost. More than zero.
    std::chrono::milliseconds reply_wait_max{60'000};
    /// The clock for `recorded_at` and due times; it must outlive the store. If null, it is the
    /// clock that all processes of the store share: that of this machine if all run on it,
    /// otherwise the server's.
    const Clock* clock = nullptr;
    /// Upcasts events when they are read; if null, they are returned as they were written.
    std::shared_ptr<const EventCatalog> catalog{};
    LogSink log{};
    /// The largest payload or metadata of one event.
    std::size_t payload_bytes_max = 8 * 1024 * 1024;
    /// The most events of one append.
    std::size_t append_events_max = 100'000;
    /// Check on append that payload and metadata are JSON. Costs about 0.1 µs for 200 bytes.
    bool check_json = true;
};

}  // namespace daybook
