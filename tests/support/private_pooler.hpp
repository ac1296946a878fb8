#pragma once

#include <string>

#include <sys/types.h>

#include "server_address.hpp"
#include "temporary_directory.hpp"

namespace daybook::test {

/// A PgBouncer on this machine, in front of a server, in transaction pooling mode. It ends with the
/// object, or with the thread that made it.
class PrivatePooler {
public:
    /// Starts it in front of the server that `server_uri` names by one host and port, and that
    /// needs no password of the user `daybook`. It opens at most `connections` to each database.
    /// Returns when it accepts clients. Throws std::runtime_error if it cannot be started.
    PrivatePooler(const std::string& server_uri, int connections);
    ~PrivatePooler();
    PrivatePooler(const PrivatePooler&) = delete;
    PrivatePooler& operator=(const PrivatePooler&) = delete;

    /// `server_uri` with the pooler in the server's place.
    const std::string& uri() const noexcept { return uri_; }
    /// The URI of its admin console, which runs SHOW POOLS and the like.
    const std::string& console_uri() const noexcept { return console_uri_; }

private:
    void write_settings(int port, int connections) const;
    void start_process();
    /// Waits until it accepts clients. False if it ends before, or does not accept any in time.
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
