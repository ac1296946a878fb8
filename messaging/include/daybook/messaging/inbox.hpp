#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// What one consumer's inbox holds.
struct InboxStatus {
    std::string consumer;
    std::size_t handled = 0;
    Timestamp oldest{};
    Timestamp newest{};
};

/// By consumer's name.
std::vector<InboxStatus> inbox_status(const EventStore& store);

/// Forgets marks made before `before`, in small units so that nobody waits long; returns how many.
/// A message that comes again after its mark was forgotten is handled again: keep marks longer than
/// anything is retried, parked or replayed.
std::size_t purge_inbox(EventStore& store, Timestamp before);

}  // namespace daybook
