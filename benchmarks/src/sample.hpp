#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <daybook/eventstore/new_event.hpp>

#include "floor.h"

namespace bench {

/// The event of all cases: seven fields, 200 bytes of JSON.
struct Booked {
    static constexpr daybook::EventType type{"account.booked", 1};

    std::string reference;
    std::string counterparty;
    std::int64_t cents = 0;
    std::string currency;
    std::int64_t day = 0;
    bool card = false;
    std::string purpose;

    static constexpr auto fields() {
        return daybook::fields("reference", &Booked::reference, "counterparty",
                               &Booked::counterparty, "cents", &Booked::cents, "currency",
                               &Booked::currency, "day", &Booked::day, "card", &Booked::card,
                               "purpose", &Booked::purpose);
    }
};

/// Some thousand different events, the same in every run, each as Daybook's caller makes it and as
/// the floor takes it: with the same payload, metadata and conversation.
class Sample {
public:
    static constexpr std::size_t payload_bytes = 200;

    Sample();

    std::size_t size() const noexcept { return events_.size(); }
    /// Any index is good: it counts round.
    const Booked& event(std::size_t index) const { return events_[index % events_.size()]; }
    /// Made of `event(index)` here and now, as a program would.
    daybook::NewEvent new_event(std::size_t index) const;
    floor_event raw_event(std::size_t index, std::size_t stream, std::int64_t version) const;

private:
    std::vector<Booked> events_;
    std::vector<std::string> texts_;
    std::vector<daybook::EventId> ids_;
};

}  // namespace bench
