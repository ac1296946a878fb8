#pragma once

#include <string>

#include "daybook/core/error.hpp"
#include "daybook/messaging/message.hpp"

namespace daybook {

/// The outcome of one delivery.
struct Delivery {
    /// What became of the delivery, and what the relay does then.
    enum class Status {
        delivered,  ///< the receiver has confirmed it
        failed,     ///< temporary failure: counts as an attempt, and the relay retries
        rejected,   ///< permanent failure: the relay parks the message at once
        unhandled,  ///< no receiver in this program; another program's relay may reach one
        down,       ///< no receiver can be reached: the relay pauses and counts no attempt
    };
    Status status = Status::delivered;
    std::string error{};     ///< why, unless delivered
    std::string receiver{};  ///< the one that failed or refused, if known
};

/// Carries messages to their receivers. `deliver` must not return `delivered` before the receiver
/// has confirmed: the relay then removes the message, and a crash of the receiver would lose it. It
/// may be called again with the same message, so receivers need an inbox. An exception counts as
/// `failed`, except InvalidError and CorruptError, which count as `rejected`, and UnhandledMessage.
/// Only the status `down` makes the relay pause; an exception of any kind concerns one message. The
/// texts may contain any bytes: they are cleaned before they are stored. A transport that several
/// relays share must be thread-safe.
class Transport {
public:
    virtual ~Transport() = default;
    virtual Delivery deliver(const Message& message) = 0;
    /// False if `deliver` would return `unhandled`. Called for messages that the relays of other
    /// programs had no receiver for; `envelope` is the message without its data.
    virtual bool takes(const Message& envelope) const;
};

/// Thrown by a receiver that cannot handle a message in this program, while another build of the
/// program may: the delivery is `unhandled`, and the receiver's transaction is rolled back.
class UnhandledMessage final : public NotFoundError {
public:
    using NotFoundError::NotFoundError;
};

}  // namespace daybook
