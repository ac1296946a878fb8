#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daybook/eventstore/store_options.hpp"
#include "engine/postgres/connection_string.hpp"

namespace daybook::postgres {

/// Names and values, set in this order: the last value of a name counts.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// The settings of every connection of a store. They override the defaults of the server, the
/// database, the role and the URI. `server_version` is that of PQserverVersion.
Settings session_settings(const ConnectionString& connection_string, const StoreOptions& options,
                          int server_version);

}  // namespace daybook::postgres
