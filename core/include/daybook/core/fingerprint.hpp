#pragma once

#include <string>
#include <string_view>

namespace daybook {

/// SHA-256 of `text`, as 64 lower-case hexadecimal digits. Used to find out that a
/// definition (an aggregate's events, a saga's steps) is another one than when data was stored.
std::string fingerprint(std::string_view text);

}  // namespace daybook
