#pragma once

#include <cstdint>
#include <string_view>

#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// Throws InvalidError unless `name` is 1 to 200 bytes of UTF-8 without a zero byte.
void require_name(std::string_view what, std::string_view name);

/// The same of a text to look for, which may be empty.
void require_clean(std::string_view what, std::string_view text);

/// Of what a message says: type, version and payload. Two messages of one id that differ in it are
/// two messages. Always the same for the same message, since it is stored.
std::uint64_t content_hash(const Message& message) noexcept;

}  // namespace daybook::detail
