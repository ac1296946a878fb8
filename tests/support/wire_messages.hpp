#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace daybook::test {

// The lengths of the messages of PostgreSQL's protocol:
//
//     first from the client   length(4) code(4) ...     startup, cancel, or encryption request
//     reply to that request   one byte                  which must be `N`: no encryption
//     everything else         type(1) length(4) ...     the length counts itself

/// A message at the start of some bytes.
struct WireMessage {
    /// That of the protocol; or `^` startup, `x` cancel, `?` encryption request, `!` its reply.
    char type;
    std::size_t size;
};

/// The state of a connection that decides how the next message is parsed.
struct WirePhase {
    bool starting = true;         ///< the client's next message has no type
    int encryption_requests = 0;  ///< that the server has not replied to
};

/// Parses the message at the start of `bytes` and updates `phase`. Nothing if it is not complete.
std::optional<WireMessage> first_from_client(std::string_view bytes, WirePhase& phase);
std::optional<WireMessage> first_from_server(std::string_view bytes, WirePhase& phase);

/// A ParameterStatus message, which the server sends at the start of a connection:
/// `S` length name 0 value 0.
std::string parameter_status(std::string_view name, std::string_view value);
/// Whether a complete message is a ParameterStatus of that parameter.
bool is_parameter_status(std::string_view message, std::string_view name);

}  // namespace daybook::test
