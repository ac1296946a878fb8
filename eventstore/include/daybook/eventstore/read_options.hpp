#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "daybook/core/ordinal.hpp"

namespace daybook {

/// No limit to what is read.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

/// Which way to read: from the oldest event to the newest, or back.
enum class Direction { forward, backward };

/// Which events of the log to read. The engine evaluates it before it reads a payload. An empty
/// list matches all events; an event must match both lists.
struct EventFilter {
    std::vector<std::string> categories{};
    std::vector<std::string> types{};  ///< event names, of any version

    bool empty() const noexcept { return categories.empty() && types.empty(); }
};

/// How to read a stream: `store.read("account-1", {.from = 2, .limit = 100})`.
struct StreamRead {
    /// The first version to read, inclusive. Backward, 0 means the newest.
    Version from = 0;
    std::uint64_t limit = unlimited;
    Direction direction = Direction::forward;
};

/// How to read the log: `store.read_all({.from = 1, .filter = {.categories = {"order"}}})`.
struct LogRead {
    /// The first position to read, inclusive. Backward, 0 means the newest.
    Position from = 0;
    std::uint64_t limit = unlimited;
    Direction direction = Direction::forward;
    EventFilter filter{};
};

}  // namespace daybook
