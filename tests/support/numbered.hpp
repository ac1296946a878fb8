#pragma once

#include <cstdint>
#include <string>

#include "daybook/eventstore/new_event.hpp"

namespace daybook::test {

/// An event whose payload is `{"n":number}`.
inline NewEvent numbered(std::uint64_t number, const char* type = "thing.counted") {
    return NewEvent{EventType::checked(type, 1), "{\"n\":" + std::to_string(number) + "}"};
}

}  // namespace daybook::test
