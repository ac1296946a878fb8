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

/// What a message in the outbox waits for.
enum class OutboxWait {
    turn,      ///< the relay
    due,       ///< its instant: it is delayed
    retry,     ///< its next attempt
    blocked,   ///< another message of its key that is tried again or parked
    receiver,  ///< a program that has one: those whose relays have seen it have not
};

std::string_view to_string(OutboxWait wait) noexcept;

/// A message that has not been delivered yet.
struct WaitingMessage {
    Message message;  ///< its `attempt` is the number of attempts that were made
    OutboxWait waits_for = OutboxWait::turn;
    std::optional<Timestamp> until{};  ///< of `due` and `retry`, and of `receiver`: then it parks
    std::string last_error;
};

struct OutboxFilter {
    std::string_view topic{};  ///< empty: all
    std::string_view key{};    ///< empty: all
    std::size_t limit = 1'000;
    bool with_data = true;  ///< else the messages' data is empty
};

/// How full the outbox is.
struct OutboxStatus {
    std::size_t waiting = 0;  ///< for their turn
    std::size_t delayed = 0;
    std::size_t retrying = 0;
    std::size_t blocked = 0;
    std::size_t unhandled = 0;  ///< waiting for a program that has a receiver
    std::size_t parked = 0;     ///< in the dead letters
    /// When the oldest message was published that is not delayed: the relay's lag.
    std::optional<Timestamp> oldest{};
    /// When one of those that are not parked was last published or tried; nothing if there is none.
    /// A virtual clock that goes on must not begin earlier: what waits would wait shorter, as after
    /// a clock that was set back.
    std::optional<Timestamp> newest{};

    std::size_t unsent() const noexcept {
        return waiting + delayed + retrying + blocked + unhandled + parked;
    }
};

OutboxStatus outbox_status(const EventStore& store);

/// What has not been delivered, by its place in the outbox. Throws InvalidError for a topic or key
/// that is not UTF-8.
std::vector<WaitingMessage> outbox_list(const EventStore& store, const OutboxFilter& filter = {});

/// The same, one after another, in memory that depends on neither their number nor, but for the
/// largest, their size. Looks at the store page by page: what comes or goes meanwhile may be
/// missed.
void outbox_each(const EventStore& store, const OutboxFilter& filter,
                 const std::function<void(const WaitingMessage&)>& visit);

}  // namespace daybook
