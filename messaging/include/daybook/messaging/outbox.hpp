#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daybook/eventstore/event_store.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// Why a message in the outbox has not been delivered.
enum class OutboxWait {
    turn,      ///< it is ready, and waits for the relay
    due,       ///< it is delayed until `due_at`
    retry,     ///< an attempt failed, and it waits for the next one
    blocked,   ///< it waits for another message of its key that is retried or parked
    receiver,  ///< it waits for a program with a receiver; the programs so far have none
};

/// The name of the reason: `blocked`.
std::string_view to_string(OutboxWait wait) noexcept;

/// A message that has not been delivered yet.
struct WaitingMessage {
    Message message;  ///< its `attempt` is the number of attempts made
    OutboxWait waits_for = OutboxWait::turn;
    std::optional<Timestamp> until{};  ///< for `due`, `retry`, and `receiver` (then it parks)
    std::string last_error;
};

/// Selects messages of the outbox.
struct OutboxFilter {
    std::string_view topic{};  ///< empty: all
    std::string_view key{};    ///< empty: all
    std::size_t limit = 1'000;
    bool with_data = true;  ///< false: the listed messages have empty data
};

/// The number of messages in the outbox, by state.
struct OutboxStatus {
    std::size_t waiting = 0;  ///< ready, waiting for the relay
    std::size_t delayed = 0;
    std::size_t retrying = 0;
    std::size_t blocked = 0;
    std::size_t unhandled = 0;  ///< waiting for a program that has a receiver
    std::size_t parked = 0;     ///< in the dead letters
    /// When the oldest message that is not delayed was published: the relay's lag.
    std::optional<Timestamp> oldest{};
    /// When a message that is not parked was last published or tried; nothing if there is none. A
    /// virtual clock that continues a run must not start before it: to the relay that is a clock
    /// that was set back, and it shortens waits.
    std::optional<Timestamp> newest{};

    std::size_t unsent() const noexcept {
        return waiting + delayed + retrying + blocked + unhandled + parked;
    }
};

/// Counts the messages of the outbox and the dead letters as they are now.
OutboxStatus outbox_status(const EventStore& store);

/// The messages that have not been delivered, in the order of the outbox. Throws InvalidError for a
/// topic or key that is not UTF-8.
std::vector<WaitingMessage> outbox_list(const EventStore& store, const OutboxFilter& filter = {});

/// The same, one at a time. The memory depends on the size of the largest message only, not on
/// their number. Reads the store page by page: messages that are published or delivered meanwhile
/// may be missing.
void outbox_each(const EventStore& store, const OutboxFilter& filter,
                 const std::function<void(const WaitingMessage&)>& visit);

}  // namespace daybook
