#pragma once

#include <string>

#include "daybook/messaging/message.hpp"

namespace daybook {

/// How one delivery ended.
struct Delivery {
    enum class Status {
        delivered,  ///< the receiver has confirmed it
        failed,     ///< not now: try again later, counted as an attempt
        rejected,   ///< never: park it at once
        down,       ///< the transport cannot reach anybody: wait, no attempt is counted
    };
    Status status = Status::delivered;
    std::string error{};     ///< why, unless delivered
    std::string receiver{};  ///< who failed or refused, if the transport can tell
};

/// What carries a message to its receivers. `deliver` returns only when the receiver has confirmed
/// (or not); it may be called again with the same message, so receivers need an inbox. What it
/// throws counts as `failed`, except InvalidError and CorruptError, which count as `rejected`.
/// Thread-safe if several relays share one.
class Transport {
public:
    virtual ~Transport() = default;
    virtual Delivery deliver(const Message& message) = 0;
};

}  // namespace daybook
