#pragma once

#include <functional>
#include <string>

#include "daybook/messaging/messaging.hpp"
#include "order_messages.hpp"

namespace daybook::test {

/// What a participant does with a command.
enum class Does {
    succeed,
    fail,     ///< no work, and replies with a permanent failure
    be_busy,  ///< no work, and replies with a temporary failure
    vanish,   ///< no work, no reply
    hide,     ///< the work, but no reply
    mumble,   ///< the work, and an unreadable reply
};

/// Decides what a participant does with one command of one order.
using Temper = std::function<Does(const Message& command, const std::string& order)>;

/// Adds the four participants and the consumer of the sagas' ends. They record what they do in the
/// streams `effects-<order>` and `ends-<order>`.
void open_shop(LocalTransport& transport, const Temper& temper);

}  // namespace daybook::test
