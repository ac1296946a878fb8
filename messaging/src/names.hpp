#pragma once

#include <cstdint>
#include <string_view>

#include "daybook/messaging/message.hpp"

namespace daybook::detail {

/// Throws InvalidError unless `name` is 1 to 200 bytes of UTF-8 without a zero byte.
void require_name(std::string_view what, std::string_view name);

/// The same for a search text, which may be empty or longer.
void require_clean(std::string_view what, std::string_view text);

/// A hash of type, version and payload. Two messages with one id and different hashes are different
/// messages. The function must never change: its results are stored in inboxes, and a message that
/// is delivered again would be rejected.
std::uint64_t content_hash(const Message& message) noexcept;

}  // namespace daybook::detail
