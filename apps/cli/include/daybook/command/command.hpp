#pragma once

#include "daybook/command/exit_code.hpp"
#include "daybook/command/invocation.hpp"
#include "daybook/command/output.hpp"
#include "daybook/command/program.hpp"
#include "daybook/command/progress.hpp"
