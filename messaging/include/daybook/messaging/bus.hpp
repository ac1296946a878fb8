#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "daybook/messaging/message.hpp"

namespace daybook {

/// A subscription to a Bus; the destructor ends it.
class BusConnection {
public:
    BusConnection() noexcept;
    ~BusConnection();
    BusConnection(BusConnection&&) noexcept;
    BusConnection& operator=(BusConnection&&) noexcept;

    /// Ends the subscription now. A call in progress on another thread may still be running.
    void disconnect() noexcept;
    /// False if the subscription has ended or its bus is destroyed.
    bool connected() const noexcept;

private:
    friend class Bus;
    struct State;
    explicit BusConnection(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

/// Publish and subscribe within the process, synchronously and without storage.
///
///     Bus bus;
///     auto connection = bus.subscribe("order.*", [](const Message& message) { … });
///     bus.publish("order.placed", OrderPlaced{…});
///
/// Topics are words with dots between them. In a pattern `*` stands for exactly one word and `#`
/// for any number of words, none included. Subscribers are called on the publishing thread, in the
/// order in which they subscribed. If a subscriber throws, the others are still called; afterwards
/// the first exception is thrown to the publisher. Thread-safe; subscribers may publish, subscribe
/// and disconnect.
class Bus {
public:
    using Handler = std::function<void(const Message&)>;

    Bus();
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Throws InvalidError for a pattern with an empty word, or with `*` or `#` inside a word.
    [[nodiscard]] BusConnection subscribe(std::string_view pattern, Handler handler);
    /// Only messages of type `M`, decoded.
    template <Event M, std::invocable<const M&> Handle>
    [[nodiscard]] BusConnection subscribe(std::string_view pattern, Handle handle) {
        return subscribe(pattern, Handler([handle = std::move(handle)](const Message& message) {
                             if (message.is<M>()) handle(message.as<M>());
                         }));
    }

    /// Returns the number of subscribers whose pattern matched.
    std::size_t publish(const Message& message) const;
    template <Event M>
    std::size_t publish(std::string_view topic, const M& event) const {
        Message message = envelope(topic, M::type);
        Codec<M>::encode(event, message.data);
        return publish(message);
    }

private:
    static Message envelope(std::string_view topic, const EventType& type);
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace daybook
