#pragma once

#include <cstdint>
#include <string_view>

#include "daybook/projections/projection_runner.hpp"
#include "projector.hpp"

namespace daybook::detail {

/// Applies the parked events of `key`, or of all keys if it is empty, in order, one transaction
/// each. A key stops at the first event that fails again. Returns how many were applied.
std::uint64_t replay_parked(const ProjectionDefinition& definition, ReadModelDatabase& database,
                            CheckpointLocation location, LogSource& log, std::string_view key);

/// Turns parked events into skipped ones. Returns how many.
std::uint64_t discard_parked(std::string_view projection, ReadModelDatabase& database,
                             CheckpointLocation location, const DiscardParked& which);

}  // namespace daybook::detail
