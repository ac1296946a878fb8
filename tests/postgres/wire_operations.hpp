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
        atomic,  ///< stores all or nothing, and the verdict is true
        steps,   ///< several transactions: repeating it after any failure completes it, once
        read,  ///< changes nothing; `run` throws something that is not an Error for a wrong result
    };
    using Numbered = std::function<void(std::uint64_t)>;

    std::string name;
    Kind kind = Kind::atomic;
    /// Runs before, on a connection without faults; may be empty.
    Numbered prepare{};
    /// Runs over the proxy.
    Numbered run{};
    /// How many parts of the operation are stored, read on a connection without faults; `whole` if
    /// all are.
    std::function<std::int64_t(std::uint64_t)> parts{};
    std::int64_t whole = 1;
};

/// `direct` and `proxied` are handles on one store.
std::vector<Operation> wire_operations(const EventStore& direct, const EventStore& proxied);

}  // namespace daybook::test
