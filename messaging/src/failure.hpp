#pragma once

#include <exception>
#include <string>

#include "daybook/messaging/transport.hpp"

namespace daybook::detail {

/// The texts of an exception and of those nested in it, each on a line of its own.
std::string error_chain(const std::exception_ptr& thrown);

/// What an exception out of a receiver means for the delivery. Its own fault (InvalidError,
/// CorruptError): rejected. A store that has failed, or a stop: down, as no message can be blamed
/// for that. Anything else: failed.
Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver = {});

}  // namespace daybook::detail
