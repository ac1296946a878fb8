#pragma once

#include <functional>
#include <string>

#include "daybook/messaging/messaging.hpp"
#include "order_messages.hpp"

namespace daybook::test {

/// The response of a participant to a command.
enum class Response {
    success,           ///< does the work and replies
    failure,           ///< no work, and replies with a permanent failure
    busy,              ///< no work, and replies with a temporary failure
    lost_command,      ///< no work, no reply
    lost_reply,        ///< does the work, but does not reply
    unreadable_reply,  ///< does the work, and sends an unreadable reply
};

/// Chooses the response of a participant to one command of one order.
using Responder = std::function<Response(const Message& command, const std::string& order)>;

/// Adds the four participants and the consumer of the sagas' ends. They record what they do in the
/// streams `effects-<order>` and `ends-<order>`.
void open_shop(LocalTransport& transport, const Responder& responder);

}  // namespace daybook::test
