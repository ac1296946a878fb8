#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "daybook/eventstore/event_view.hpp"

namespace daybook::detail {

/// Which handler an event goes to: one look into a vector per event.
class Dispatch {
public:
    static constexpr int none = -1;

    explicit Dispatch(std::vector<std::string> events) : events_(std::move(events)) {}

    int handler(const TypeEntry& type) {
        if (type.number < slots_.size() && slots_[type.number].type == &type) {
            return slots_[type.number].handler;
        }
        return resolve(type);
    }

private:
    struct Slot {
        const TypeEntry* type = nullptr;
        int handler = none;
    };

    int resolve(const TypeEntry& type) {
        if (type.number >= slots_.size()) slots_.resize(std::size_t{type.number} + 1);
        Slot& slot = slots_[type.number];
        slot = {&type, none};
        for (std::size_t i = 0; i < events_.size(); ++i) {
            if (events_[i] == type.name) slot.handler = static_cast<int>(i);
        }
        return slot.handler;
    }

    std::vector<std::string> events_;
    std::vector<Slot> slots_;
};

}  // namespace daybook::detail
