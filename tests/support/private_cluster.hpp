#pragma once

#include <string>

#include "temporary_directory.hpp"

namespace daybook::test {

/// A PostgreSQL cluster for one test, which may kill, restart or promote it. It is removed at the
/// end, even when the test dies. It syncs its commits to disk.
class PrivateCluster {
public:
    /// Returns when the cluster accepts connections. Throws std::runtime_error if it cannot be
    /// started.
    PrivateCluster();
    ~PrivateCluster();
    PrivateCluster(const PrivateCluster&) = delete;
    PrivateCluster& operator=(const PrivateCluster&) = delete;

    /// The URI of its only database, which is empty at first. It stays the same after a restart.
    const std::string& uri() const noexcept { return uri_; }
    /// Sends SIGKILL to all of its processes at once, and returns when they have ended.
    void kill();
    /// Starts it after `kill`, and returns when it has recovered.
    void restart();

    /// Starts a second server that follows this one; returns its URI.
    std::string start_standby();
    /// Makes the standby a server that can be written to.
    void promote_standby();

private:
    void run(const std::string& action) const;

    TemporaryDirectory directory_;
    std::string uri_;
};

}  // namespace daybook::test
