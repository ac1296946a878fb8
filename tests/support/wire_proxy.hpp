#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace daybook::test {

/// Stands between a program and a PostgreSQL server, on this machine, and cuts or stalls a
/// connection at a message that the test names, in either direction.
///
/// One fault at a time, which happens once, or twice: then whoever connects again passes unharmed.
/// Thread-safe. It has threads: fork before.
class WireProxy {
public:
    enum class Direction { to_server, to_client };
    enum class Action {
        cut_before,  ///< the message does not arrive, nor anything after it
        cut_inside,  ///< half of the message arrives
        cut_after,   ///< the message arrives, and nothing after it
        stall,       ///< from this message on nothing moves on its connection, in neither direction
    };
    struct Fault {
        Direction direction = Direction::to_server;
        std::uint64_t message = 1;  ///< counted over all connections; 1 is the next one
        Action action = Action::cut_before;
        std::chrono::milliseconds stall{0};  ///< for how long; 0: until `heal`
        std::uint64_t again = 0;  ///< the same once more so many messages later; 0: only once
    };

    /// In front of the server that `server_uri` names by one host and port. Throws
    /// std::runtime_error if it cannot listen.
    explicit WireProxy(const std::string& server_uri);
    /// Cuts all connections.
    ~WireProxy();
    WireProxy(const WireProxy&) = delete;
    WireProxy& operator=(const WireProxy&) = delete;

    /// `server_uri` with the proxy in the server's place.
    const std::string& uri() const;

    /// Forgets what has passed and counts anew.
    void arm(const Fault& fault);
    /// Whether the armed fault has happened, at least once.
    bool happened() const;
    /// Waits for it; false after `timeout`.
    bool wait_until_happened(std::chrono::milliseconds timeout) const;
    /// Whoever connects from now on is cut off at once.
    void refuse_connections();
    /// Cuts every connection there is.
    void cut_all();
    /// Whoever connects from now on comes to another server, as with an address that moves.
    void redirect(const std::string& server_uri);
    /// Whoever connects from now on is told `value` where the server says something of
    /// `parameter`, such as `server_version`.
    void pretend(const std::string& parameter, const std::string& value);
    /// Ends stalls and refusals; what was armed and has not happened does not happen.
    void heal();

    /// The types of the messages that have passed since `arm` or `forget`, in their order: see
    /// WireMessage.
    std::string passed(Direction direction) const;
    void forget();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace daybook::test
