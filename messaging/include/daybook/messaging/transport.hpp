#pragma once

#include <string>

#include "daybook/core/error.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// How one delivery ended.
struct Delivery {
    enum class Status {
        delivered,  ///< the receiver has confirmed it
        failed,     ///< not now: try again later, counted as an attempt
        rejected,   ///< never: park it at once
        unhandled,  ///< no receiver in this program; another program's relay may reach one
        down,       ///< the transport cannot reach anybody: wait, no attempt is counted
    };
    Status status = Status::delivered;
    std::string error{};     ///< why, unless delivered
    std::string receiver{};  ///< who failed or refused, if the transport can tell
};

/// What carries a message to its receivers. `deliver` returns only when the receiver has confirmed
/// (or not); it may be called again with the same message, so receivers need an inbox. What it
/// throws counts as `failed`, except InvalidError and CorruptError, which count as `rejected`, and
/// UnhandledMessage. Only `down`, returned, makes the relay pause: an exception is the fault of one
/// message, whatever its kind. Texts may be any bytes: they are cleaned before they are stored.
/// Thread-safe if several relays share one.
class Transport {
public:
    virtual ~Transport() = default;
    virtual Delivery deliver(const Message& message) = 0;
    /// Whether `deliver` could end otherwise than `unhandled`. Asked about messages that the
    /// relays of other programs had no receiver for; `envelope` is the message without its data.
    virtual bool takes(const Message& envelope) const;
};

/// Thrown by a receiver that finds no use for a message in this program, which another build of it
/// may have: the delivery is `unhandled`, and nothing of what the receiver did is kept.
class UnhandledMessage final : public NotFoundError {
public:
    using NotFoundError::NotFoundError;
};

}  // namespace daybook
