#pragma once

#include <string>
#include <string_view>

namespace daybook {

/// SHA-256 of `text`, as 64 lower-case hexadecimal digits. Used to notice that a definition
/// (an aggregate's events, a saga's steps) is not the one that data was stored under.
std::string fingerprint(std::string_view text);

}  // namespace daybook
