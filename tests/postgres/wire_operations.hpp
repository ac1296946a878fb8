#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daybook/eventstore/event_store.hpp"

namespace daybook::test {

/// An operation of a program on a store. It is run once for each number, and everything it stores
/// carries that number.
struct Operation {
    enum class Kind {
        unit,   ///< all or nothing, and the verdict is true
        steps,  ///< several units: whatever has failed, doing it again makes it whole, once
        look,   ///< changes nothing; `run` itself throws what is not an Error when it sees wrong
    };
    using Numbered = std::function<void(std::uint64_t)>;

    std::string name;
    Kind kind = Kind::unit;
    /// On a connection of its own, undisturbed; or empty.
    Numbered prepare{};
    /// Over the proxy.
    Numbered run{};
    /// How many parts of the operation are stored, read on a connection of its own; `whole` if all
    /// are.
    std::function<std::int64_t(std::uint64_t)> parts{};
    std::int64_t whole = 1;
};

/// `direct` and `proxied` are handles on one store.
std::vector<Operation> wire_operations(const EventStore& direct, const EventStore& proxied);

}  // namespace daybook::test
