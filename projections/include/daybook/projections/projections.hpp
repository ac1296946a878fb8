#pragma once

#include "daybook/projections/error_policy.hpp"
#include "daybook/projections/key_table.hpp"
#include "daybook/projections/keyed_projection.hpp"
#include "daybook/projections/lifecycle.hpp"
#include "daybook/projections/projection.hpp"
#include "daybook/projections/projection_definition.hpp"
#include "daybook/projections/projection_runner.hpp"
#include "daybook/projections/projection_status.hpp"
#include "daybook/projections/read_models.hpp"
#include "daybook/projections/recorded.hpp"
#include "daybook/projections/row_table.hpp"
#include "daybook/projections/view.hpp"
