#pragma once

#include "daybook/messaging/bus.hpp"
#include "daybook/messaging/transport.hpp"

namespace daybook {

struct BusTransportOptions {
    /// A message that nobody has subscribed to: `leave` it to the relays of other programs (parked
    /// if none takes it, see RelayOptions); `accept` is for announcements that may go unheard.
    enum class Unheard { leave, accept } unheard = Unheard::leave;
};

/// Brings the outbox to a Bus. Delivered means: every subscriber has returned. A subscriber that
/// throws makes all of them hear the message again; there is no inbox in between.
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
