#pragma once

#include "daybook/messaging/bus.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

/// How a BusTransport delivers.
struct BusTransportOptions {
    /// What to do with a message without a subscriber: `leave` it to the relays of other programs
    /// (it is parked if none takes it, see RelayOptions), or `accept` it as delivered, for
    /// announcements that need no receiver.
    enum class Unheard { leave, accept } unheard = Unheard::leave;
};

/// Delivers the outbox to a Bus. A message is delivered once every subscriber has returned. If a
/// subscriber throws, all of them receive the message again: no inbox removes duplicates here.
class BusTransport final : public Transport {
public:
    /// `bus` must outlive the transport.
    explicit BusTransport(const Bus& bus, BusTransportOptions options = {}) noexcept
        : bus_(bus), options_(options) {}

    Delivery deliver(const Message& message) override;

private:
    const Bus& bus_;
    BusTransportOptions options_;
};

}  // namespace daybook
