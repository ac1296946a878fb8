#pragma once

#include <string>

#include <sys/types.h>

#include "server_address.hpp"
#include "temporary_directory.hpp"

namespace daybook::test {

/// A PgBouncer in front of a server, on this machine, that gives a connection for one transaction
/// at a time. Ends with the object, or with the thread that made it.
class PrivatePooler {
public:
    /// In front of the server that `server_uri` names by one host and port and for which its user
    /// `daybook` needs no password, with at most `connections` to each of its databases. Returns
    /// when it takes clients. Throws std::runtime_error if it cannot be started.
    PrivatePooler(const std::string& server_uri, int connections);
    ~PrivatePooler();
    PrivatePooler(const PrivatePooler&) = delete;
    PrivatePooler& operator=(const PrivatePooler&) = delete;

    /// `server_uri` with the pooler in the server's place.
    const std::string& uri() const noexcept { return uri_; }
    /// Where it answers questions about itself, such as SHOW POOLS.
    const std::string& console_uri() const noexcept { return console_uri_; }

private:
    void write_settings(int port, int connections) const;
    void start_process();
    /// Waits until it takes clients; false if it has ended before, or does not.
    bool is_ready();
    std::string log() const;
    void end();

    TemporaryDirectory directory_;
    ServerAddress server_;
    std::string uri_;
    std::string console_uri_;
    pid_t pid_ = -1;
};

}  // namespace daybook::test
