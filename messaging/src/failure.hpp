#pragma once

#include <exception>
#include <string>

#include "daybook/messaging/transport.hpp"

namespace daybook::detail {

/// What an exception out of a receiver means for the delivery: rejected for InvalidError and
/// CorruptError, unhandled for UnhandledMessage, failed for anything else. A receiver's full disk
/// or lost connection is a failure of this message and says nothing about others.
Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver = {});

/// The same of an exception that the store threw before the receiver had a part in it: the store
/// cannot be written to just now, for any message.
Delivery delivery_without_store(const std::exception_ptr& thrown, std::string receiver);

}  // namespace daybook::detail
