#include "wire_proxy.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_address.hpp"
#include "wire_messages.hpp"

namespace daybook::test {
namespace {

using Direction = WireProxy::Direction;
using Action = WireProxy::Action;
using Time = std::chrono::steady_clock::time_point;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// A socket, closed with the object.
class Socket {
public:
    explicit Socket(int number) : number_(number) {}
    ~Socket() {
        if (number_ >= 0) ::close(number_);
    }
    Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Socket& operator=(Socket&&) = delete;

    int number() const { return number_; }
    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;  // the other pump reads the end of the connection
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Appends the next bytes; false at the end.
    bool receive(std::string& to) const {
        std::array<char, 16 * 1024> bytes;
        const auto got = ::recv(number_, bytes.data(), bytes.size(), 0);
        if (got > 0) to.append(bytes.data(), static_cast<std::size_t>(got));
        return got > 0;
    }
    void end_sending() const { ::shutdown(number_, SHUT_WR); }
    void end() const { ::shutdown(number_, SHUT_RDWR); }
    void send_at_once() const {
        const int on = 1;
        ::setsockopt(number_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

private:
    int number_;
};

/// The address of the server behind the proxy.
struct Address : ServerAddress {
    using ServerAddress::ServerAddress;

    Socket connect() const {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return Socket{-1};
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{found, &::freeaddrinfo};
        for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
            Socket socket{::socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            if (::connect(socket.number(), info->ai_addr, info->ai_addrlen) == 0) return socket;
        }
        return Socket{-1};
    }
};

Socket listen_on_loopback() {
    Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        fail("bind");
    }
    if (::listen(socket.number(), 64) != 0) fail("listen");
    return socket;
}

int port_of(const Socket& socket) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        fail("getsockname");
    }
    return ntohs(address.sin_port);
}

/// One connection through the proxy.
struct Link {
    Link(Socket from, Socket to) : client(std::move(from)), server(std::move(to)) {}

    const Socket& source(Direction direction) const {
        return direction == Direction::to_server ? client : server;
    }
    const Socket& target(Direction direction) const {
        return direction == Direction::to_server ? server : client;
    }
    // Bytes that were forwarded still arrive, as both sockets are read until they are closed.
    void cut() {
        is_cut = true;
        stalled_until.reset();
        client.end_sending();
        server.end_sending();
    }

    Socket client;
    Socket server;
    // Guarded by the proxy's mutex.
    WirePhase phase;
    bool is_cut = false;
    int open_directions = 2;
    std::optional<Time> stalled_until;
    // The pumps are the last member, so that they have ended before the others are destroyed.
    std::array<std::jthread, 2> pumps;
};

}  // namespace

class WireProxy::Impl {
public:
    explicit Impl(const std::string& server_uri)
        : server_(server_uri),
          listening_(listen_on_loopback()),
          uri(server_.uri_at(port_of(listening_))),
          accepting_([this] { accept_all(); }) {}

    ~Impl() {
        {
            const std::scoped_lock lock{mutex_};
            ended_ = true;
        }
        changed_.notify_all();
        listening_.end();
        accepting_.join();
        for (const Link& link : links_) {
            link.client.end();
            link.server.end();
        }
    }

    void arm(const Fault& fault) {
        const std::scoped_lock lock{mutex_};
        fault_ = fault;
        happened_ = false;
        for (auto& types : passed_) types.clear();
        counted_ = {};
    }
    bool wait_until_happened(std::chrono::milliseconds timeout) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, timeout, [this] { return happened_; });
    }
    void refuse_connections() {
        const std::scoped_lock lock{mutex_};
        refusing_ = true;
    }
    void replace_parameter(const std::string& parameter, const std::string& value) {
        const std::scoped_lock lock{mutex_};
        replaced_parameters_[parameter] = value;
    }
    void cut_all() {
        const std::scoped_lock lock{mutex_};
        for (Link& link : links_) link.cut();
        changed_.notify_all();
    }
    void redirect(const std::string& server_uri) {
        const std::scoped_lock lock{mutex_};
        server_ = Address{server_uri};
    }
    void heal() {
        const std::scoped_lock lock{mutex_};
        fault_.reset();
        refusing_ = false;
        for (Link& link : links_) link.stalled_until.reset();
        changed_.notify_all();
    }
    std::string passed(Direction direction) const {
        const std::scoped_lock lock{mutex_};
        return passed_[index(direction)];
    }
    void clear_passed() {
        const std::scoped_lock lock{mutex_};
        for (auto& types : passed_) types.clear();
    }

private:
    static std::size_t index(Direction direction) { return static_cast<std::size_t>(direction); }

    void accept_all() {
        for (;;) {
            Socket client{::accept4(listening_.number(), nullptr, nullptr, SOCK_CLOEXEC)};
            std::optional<Address> address;
            {
                const std::scoped_lock lock{mutex_};
                if (ended_) return;
                if (refusing_ || client.number() < 0) continue;
                address = server_;
            }
            Socket server = address->connect();
            if (server.number() < 0) continue;
            client.send_at_once();
            server.send_at_once();
            const std::scoped_lock lock{mutex_};
            links_.remove_if([](const Link& old) { return old.open_directions == 0; });
            Link& link = links_.emplace_back(std::move(client), std::move(server));
            for (const auto direction : {Direction::to_server, Direction::to_client}) {
                link.pumps[index(direction)] =
                    std::jthread{[&, direction] { pump(link, direction); }};
            }
        }
    }

    void pump(Link& link, Direction direction) {
        std::string bytes;
        while (link.source(direction).receive(bytes)) {
            while (pass_one(link, direction, bytes)) {}
        }
        std::unique_lock lock{mutex_};
        hold(lock, link);
        link.target(direction).end_sending();
        --link.open_directions;  // after this the link may be destroyed as soon as the lock is free
    }

    /// Takes the first message out of `bytes` and forwards it, or applies the fault to it. False if
    /// there is no complete message.
    bool pass_one(Link& link, Direction direction, std::string& bytes) {
        std::unique_lock lock{mutex_};
        hold(lock, link);
        const auto message = direction == Direction::to_server
                                 ? first_from_client(bytes, link.phase)
                                 : first_from_server(bytes, link.phase);
        if (!message) return false;
        const auto action = link.is_cut ? std::nullopt : fault_at_this_message(direction);
        if (action == Action::stall) {
            const auto until = Time::clock::now() + fault_->stall;
            link.stalled_until = fault_->stall.count() == 0 ? Time::max() : until;
            hold(lock, link);
        }
        std::size_t size = message->size;
        if (action == Action::cut_inside) size /= 2;
        if (action == Action::cut_before || link.is_cut || ended_) size = 0;
        std::string_view sent = std::string_view{bytes}.substr(0, size);
        std::optional<std::string> replacement;
        const bool cuts = action && action != Action::stall;
        // This is set before the message is sent, so that its reply is already cut off.
        if (cuts) link.is_cut = true;
        if (size == message->size) {
            passed_[index(direction)] += message->type;
            replacement = replacement_for(direction, sent);
            if (replacement) sent = *replacement;
        }
        // Sending may block while the receiver does not read, so it is done without the lock: the
        // other connections continue.
        lock.unlock();
        link.target(direction).send(sent);
        bytes.erase(0, message->size);
        if (!cuts) return true;
        lock.lock();
        link.cut();
        return true;
    }

    std::optional<std::string> replacement_for(Direction direction,
                                               std::string_view message) const {
        if (direction == Direction::to_server) return std::nullopt;
        for (const auto& [parameter, value] : replaced_parameters_) {
            if (is_parameter_status(message, parameter)) return parameter_status(parameter, value);
        }
        return std::nullopt;
    }

    std::optional<Action> fault_at_this_message(Direction direction) {
        if (!fault_ || fault_->direction != direction) return std::nullopt;
        if (++counted_ != fault_->message) return std::nullopt;
        fault_->message += fault_->again;
        fault_->again = 0;
        happened_ = true;
        changed_.notify_all();
        return fault_->action;
    }

    // Waits while the connection is stalled.
    void hold(std::unique_lock<std::mutex>& lock, Link& link) {
        while (!ended_ && link.stalled_until && *link.stalled_until > Time::clock::now()) {
            if (*link.stalled_until == Time::max()) {
                changed_.wait(lock);
            } else {
                changed_.wait_until(lock, *link.stalled_until);
            }
        }
    }

    Address server_;  ///< under mutex_
    const Socket listening_;

public:
    const std::string uri;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Fault> fault_;
    std::uint64_t counted_ = 0;  ///< messages in the fault's direction since it was armed
    bool happened_ = false;
    bool refusing_ = false;
    std::map<std::string, std::string> replaced_parameters_;
    bool ended_ = false;
    std::array<std::string, 2> passed_;
    std::list<Link> links_;
    std::jthread accepting_;
};

WireProxy::WireProxy(const std::string& server_uri) : impl_(std::make_unique<Impl>(server_uri)) {}
WireProxy::~WireProxy() = default;

const std::string& WireProxy::uri() const { return impl_->uri; }
void WireProxy::arm(const Fault& fault) { impl_->arm(fault); }
bool WireProxy::happened() const { return wait_until_happened(std::chrono::milliseconds{0}); }
bool WireProxy::wait_until_happened(std::chrono::milliseconds timeout) const {
    return impl_->wait_until_happened(timeout);
}
void WireProxy::refuse_connections() { impl_->refuse_connections(); }
void WireProxy::replace_parameter(const std::string& parameter, const std::string& value) {
    impl_->replace_parameter(parameter, value);
}
void WireProxy::redirect(const std::string& server_uri) { impl_->redirect(server_uri); }
void WireProxy::cut_all() { impl_->cut_all(); }
void WireProxy::heal() { impl_->heal(); }
std::string WireProxy::passed(Direction direction) const { return impl_->passed(direction); }
void WireProxy::clear_passed() { impl_->clear_passed(); }

}  // namespace daybook::test
