#pragma once

#include <string>

namespace daybook::test {

/// The parts of `postgresql://user@host:port/...`.
struct ServerAddress {
    /// Throws std::runtime_error for an URI without one host and port.
    explicit ServerAddress(const std::string& uri);

    /// The URI with another server in its place, on this machine.
    std::string uri_at(int other_port) const;

    std::string before;  ///< the host
    std::string host;
    std::string port;
    std::string after;
};

}  // namespace daybook::test
