#pragma once

#include <string>

#include "carrier/shipment_events.hpp"

namespace shop {

/// One order's way to its customer: booked and then dispatched, or refused.
class Shipment
    : public daybook::AggregateRoot<Shipment, ShipmentBooked, ShipmentRefused, ShipmentDispatched> {
public:
    using AggregateRoot::AggregateRoot;
    static daybook::StreamName stream(const std::string& order) { return "shipment-" + order; }

    void book(const ShipmentBooked& booking) {
        if (status_ == Status::unknown) raise(booking);
    }
    void refuse(const std::string& order, const std::string& reason) {
        if (status_ == Status::unknown) raise(ShipmentRefused{order, reason});
    }
    void dispatch(const std::string& order) {
        if (status_ == Status::booked) raise(ShipmentDispatched{order});
    }

private:
    friend AggregateRoot;
    enum class Status { unknown, booked, refused, dispatched };

    void on(const ShipmentBooked&) { status_ = Status::booked; }
    void on(const ShipmentRefused&) { status_ = Status::refused; }
    void on(const ShipmentDispatched&) { status_ = Status::dispatched; }

    Status status_ = Status::unknown;
};

}  // namespace shop
