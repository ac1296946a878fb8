#pragma once

#include <cstdint>

namespace daybook::test {

/// An allocator for SQLite whose allocations can fail. `install` sets it for the rest of the
/// program; call it while no database is open and before a MemoryDisk is made.
class FailingMemory {
public:
    static void install();
    /// The `nth` allocation from now on (the first is 1) fails; those after it too, if `for_ever`.
    static void fail(std::uint64_t nth, bool for_ever);
    static void heal();
    /// Whether one has failed since `fail`.
    static bool has_failed();
};

}  // namespace daybook::test
