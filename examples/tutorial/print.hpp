#pragma once

#include <iostream>

#include <daybook/daybook.hpp>

namespace shop {

/// Prints each event on a line: position, stream, version, type and data.
inline void print(daybook::EventRange events) {
    for (const daybook::EventView event : events) {
        std::cout << event.position().value() << "  " << event.stream() << " v"
                  << event.version().value() << "  " << event.type() << "  " << event.data()
                  << '\n';
    }
}

}  // namespace shop
