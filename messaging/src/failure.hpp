#pragma once

#include <exception>
#include <string>

#include "daybook/messaging/transport.hpp"

namespace daybook::detail {

/// The delivery's outcome after an exception of a receiver: rejected for InvalidError and
/// CorruptError, unhandled for UnhandledMessage, failed for all others. A full disk or a lost
/// connection of the receiver is a failure of this message; other messages may still succeed.
Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver = {});

/// The same for an exception that the store threw before the receiver was called: at present the
/// store cannot be written to, for any message.
Delivery delivery_without_store(const std::exception_ptr& thrown, std::string receiver);

}  // namespace daybook::detail
