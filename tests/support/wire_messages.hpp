#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::test {

// Where the messages of PostgreSQL's protocol end:
//
//     first from the client   length(4) code(4) ...     startup, cancel, or a wish for encryption
//     the answer to a wish    one byte                  which must be `N`
//     everything else         type(1) length(4) ...     the length counts itself

/// A message at the beginning of some bytes.
struct WireMessage {
    char type;  ///< the protocol's, or `^` startup, `x` cancel, `?` wish, `!` answer to a wish
    std::size_t size;
};

/// What has to be known of a connection to read on.
struct WirePhase {
    bool starting = true;  ///< the client's next message has no type
    int wishes = 0;        ///< for encryption, that the server has not answered
};

/// The message that `bytes` begins with, if it is whole; then it counts as read.
std::optional<WireMessage> first_from_client(std::string_view bytes, WirePhase& phase);
std::optional<WireMessage> first_from_server(std::string_view bytes, WirePhase& phase);

/// What the server says of itself as a connection begins: `S` length name 0 value 0.
std::string parameter_status(std::string_view name, std::string_view value);
/// Whether a whole message says something of that parameter.
bool is_parameter_status(std::string_view message, std::string_view name);

}  // namespace daybook::test
