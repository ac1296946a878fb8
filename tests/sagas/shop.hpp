#pragma once

#include <functional>
#include <string>

#include "daybook/messaging/messaging.hpp"
#include "order_messages.hpp"

namespace daybook::test {

/// What a participant does with a command.
enum class Does {
    succeed,
    fail,     ///< nothing, and says so for good
    be_busy,  ///< nothing, and says that it may work later
    vanish,   ///< nothing, and says nothing
    hide,     ///< the work, and says nothing
    mumble,   ///< the work, and answers with something nobody can read
};

/// Decides about one command of one order.
using Temper = std::function<Does(const Message& command, const std::string& order)>;

/// Opens the four participants and the listener to the ends of sagas. What they do stands in the
/// streams `effects-<order>` and `ends-<order>`.
void open_shop(LocalTransport& transport, const Temper& temper);

}  // namespace daybook::test
