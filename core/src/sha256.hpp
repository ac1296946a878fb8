#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace daybook::detail {

using Sha256 = std::array<std::uint8_t, 32>;

/// Thread-safe. Throws UnavailableError if OpenSSL fails.
Sha256 sha256(std::string_view text);

/// Writes two lower-case hexadecimal digits for each of `count` bytes and returns the end.
char* write_hex(const std::uint8_t* bytes, std::size_t count, char* out) noexcept;

}  // namespace daybook::detail
