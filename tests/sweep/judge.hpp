#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "workload.hpp"

namespace daybook::test {

/// The promises that a store has broken; empty if none.
using Violations = std::vector<std::string>;

/// How many there are, and the first 20 of them, or DAYBOOK_SWEEP_SHOWN.
std::string text_of(const Violations& violations);

/// Compares the store with the results and reads that callers had got after so many operations of
/// the disk: V1 to V7. With `complete` also checks that no work is left (V12): call it after
/// `Workload::drain`.
Violations judge(const EventStore& store, const History& history, std::size_t operations,
                 bool complete = false);

/// V8: SQLite's own checks of the store's file and of those of its read models. Call it while the
/// store is open.
Violations judge_files(const std::string& path);

}  // namespace daybook::test
