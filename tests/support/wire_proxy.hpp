#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace daybook::test {

/// A proxy on this machine between a program and a PostgreSQL server. It cuts or stalls a
/// connection at a message that the test names, in either direction.
///
/// One fault can be armed at a time. It happens once, or twice; later connections are not harmed.
/// Thread-safe. It starts threads, so fork before.
class WireProxy {
public:
    enum class Direction { to_server, to_client };
    enum class Action {
        cut_before,  ///< the message does not arrive, nor anything after it
        cut_inside,  ///< half of the message arrives
        cut_after,   ///< the message arrives, and nothing after it
        stall,       ///< from this message on its connection forwards nothing, in neither direction
    };
    struct Fault {
        Direction direction = Direction::to_server;
        std::uint64_t message = 1;  ///< counted over all connections; 1 is the next one
        Action action = Action::cut_before;
        std::chrono::milliseconds stall{0};  ///< for how long; 0: until `heal`
        std::uint64_t again = 0;  ///< a second fault, so many messages later; 0: only one
    };

    /// Listens in front of the server that `server_uri` names by one host and port. Throws
    /// std::runtime_error if it cannot listen.
    explicit WireProxy(const std::string& server_uri);
    /// Cuts all connections.
    ~WireProxy();
    WireProxy(const WireProxy&) = delete;
    WireProxy& operator=(const WireProxy&) = delete;

    /// `server_uri` with the proxy in the server's place.
    const std::string& uri() const;

    /// Sets the fault, clears `passed` and counts messages from 1 again.
    void arm(const Fault& fault);
    /// Whether the armed fault has happened, at least once.
    bool happened() const;
    /// Waits until the fault has happened. False after `timeout`.
    bool wait_until_happened(std::chrono::milliseconds timeout) const;
    /// New connections are cut off at once.
    void refuse_connections();
    /// Cuts every connection there is.
    void cut_all();
    /// New connections go to another server, as when an address moves.
    void redirect(const std::string& server_uri);
    /// In new connections the server's ParameterStatus of `parameter`, such as `server_version`,
    /// has `value`.
    void replace_parameter(const std::string& parameter, const std::string& value);
    /// Ends stalls and refusals, and disarms a fault that has not happened yet.
    void heal();

    /// The types of the messages that have passed since `arm` or `clear_passed`, in their order:
    /// see WireMessage.
    std::string passed(Direction direction) const;
    void clear_passed();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace daybook::test
