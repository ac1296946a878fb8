#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"

namespace daybook {

/// The inbox of one consumer.
struct InboxStatus {
    std::string consumer;
    std::size_t handled = 0;
    Timestamp oldest{};
    Timestamp newest{};
};

/// Ordered by the name of the consumer.
std::vector<InboxStatus> inbox_status(const EventStore& store);

/// Deletes the marks made before `before`, in small transactions so that other writers do not wait
/// long; returns their number. A message that is delivered again after its mark was deleted is
/// handled again: keep marks longer than any message is retried, parked or replayed.
std::size_t purge_inbox(EventStore& store, Timestamp before);

}  // namespace daybook
