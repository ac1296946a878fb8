#pragma once

#include <string>
#include <string_view>

namespace daybook::detail {

/// A name for who is at work, new with each call: `host/process/number`.
std::string new_owner();

/// True if `owner` was a process of this machine that is no more. False does not mean that it
/// lives.
bool is_dead(std::string_view owner);

}  // namespace daybook::detail
