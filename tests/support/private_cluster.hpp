#pragma once

#include <string>

#include "temporary_directory.hpp"

namespace daybook::test {

/// A PostgreSQL cluster for one test that may end it as it likes. Nothing is left of it, even when
/// the test dies. What it has committed is on disk.
class PrivateCluster {
public:
    /// Returns when it takes connections. Throws std::runtime_error if it cannot be started.
    PrivateCluster();
    ~PrivateCluster();
    PrivateCluster(const PrivateCluster&) = delete;
    PrivateCluster& operator=(const PrivateCluster&) = delete;

    /// Of its one, empty database; the same after a restart.
    const std::string& uri() const noexcept { return uri_; }
    /// SIGKILL to all of its processes at once; returns when they are gone.
    void kill();
    /// After `kill`; returns when it has recovered.
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
