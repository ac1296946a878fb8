#pragma once

#include "daybook/projections/projection_status.hpp"
#include "json_text.hpp"

// The keys under which scripts see projections.

namespace daybook::command {

Json status_json(const ProjectionStatus& status);
Json parked_json(const ParkedEvent& parked);
Json rebuilt_json(const std::string& name, const RebuildResult& result);

}  // namespace daybook::command
