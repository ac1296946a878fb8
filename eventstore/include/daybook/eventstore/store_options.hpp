#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "daybook/core/clock.hpp"
#include "daybook/core/log.hpp"

namespace daybook {

class EventCatalog;

/// How much a returned append has survived.
enum class Durability {
    full,    ///< power loss (the default)
    normal,  ///< the death of the process; power loss may take the newest commits
    off,     ///< nothing: for tests and scratch stores
};

/// How to open a store.
struct StoreOptions {
    /// Make the store if it is not there; otherwise NotFoundError.
    bool create = true;
    Durability durability = Durability::full;
    /// How long a write waits for other processes before it is UnavailableError; zero: not at all.
    std::chrono::milliseconds busy_wait_max{10'000};
    /// How long a server may take over one answer before the connection counts as lost. More than
    /// zero.
    std::chrono::milliseconds reply_wait_max{60'000};
    /// Where `recorded_at` and due times come from; must outlive the store. Nothing: the time that
    /// all who share the store agree on: this machine's where they all run on it, otherwise the
    /// server's.
    const Clock* clock = nullptr;
    /// Upcasters for what is read; nothing: events are seen as they were written.
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
