#include "daybook/messaging/bus_transport.hpp"

#include "failure.hpp"

namespace daybook {

Delivery BusTransport::deliver(const Message& message) {
    try {
        const std::size_t heard = bus_.publish(message);
        if (heard == 0 && options_.unheard == BusTransportOptions::Unheard::leave) {
            return {Delivery::Status::unhandled, "nobody on the bus has subscribed to topic '" +
                                                     message.topic + "': start a program that has"};
        }
        return {};
    } catch (...) {
        return detail::delivery_after(std::current_exception(), "bus");
    }
}

}  // namespace daybook
