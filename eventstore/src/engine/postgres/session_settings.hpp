#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/place.hpp"

namespace daybook::postgres {

/// Names and values. Set in their order: the last of a name counts.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// What every connection of a store is set to, so that it does not matter which defaults the
/// server, the database, the role or the URI has. `server_version` is libpq's number.
Settings session_settings(const Place& place, const StoreOptions& options, int server_version);

}  // namespace daybook::postgres
