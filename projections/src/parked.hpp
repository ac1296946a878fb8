#pragma once

#include <cstdint>
#include <string_view>

#include "daybook/projections/projection_runner.hpp"
#include "model_feed.hpp"

namespace daybook::detail {

/// Applies parked events in order, one transaction each; a key stops at the first that fails again.
/// An empty key means all. Returns how many were applied.
std::uint64_t replay_parked(const ProjectionDefinition& definition, ReadModelDatabase& database,
                            Home home, LogSource& log, std::string_view key);

/// Turns parked events into skipped ones. Returns how many.
std::uint64_t discard_parked(std::string_view projection, ReadModelDatabase& database, Home home,
                             const DiscardParked& which);

}  // namespace daybook::detail
