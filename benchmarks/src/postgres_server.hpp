#pragma once

#include <string>

namespace bench {

/// A server to measure on. The destructor drops the schemas of this run.
class PostgresServer {
public:
    /// Throws std::runtime_error if it cannot be reached, or does not sync: a commit that costs
    /// nothing would be compared with another one.
    explicit PostgresServer(std::string uri);
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    const std::string& uri() const noexcept { return uri_; }
    /// A schema of this run's own.
    std::string schema(const std::string& name) const { return prefix_ + name; }
    /// The URI of a store in such a schema.
    std::string store_uri(const std::string& name) const;
    /// The durability of every commit, as the reports name it.
    static constexpr const char* durability = "fsync=on, synchronous_commit=on";

private:
    const std::string uri_;
    const std::string prefix_;
};

}  // namespace bench
