#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "world.hpp"

namespace daybook::test {

/// What a store does not keep of what it promises; empty if all is well.
using Violations = std::vector<std::string>;

/// How many there are, and the first 20 of them, or DAYBOOK_SWEEP_SHOWN.
std::string text_of(const Violations& violations);

/// Compares the store with what had been told and seen after so many operations of the disk: V1
/// to V7. `complete` asks in addition that nothing is left to be done (V12): call it when the
/// world has settled.
Violations judge(const EventStore& store, const History& history, std::size_t operations,
                 bool complete = false);

/// V8: SQLite's own look at the store's file and at those of its read models. Call it while the
/// store is open.
Violations judge_files(const std::string& path);

}  // namespace daybook::test
