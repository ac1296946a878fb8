#pragma once

#include <string>

#include "daybook/eventstore/engine.hpp"
#include "sqlite/connection.hpp"

namespace daybook::sqlite {

/// Makes sure that `path` is a store of this version: creates it, or applies what is missing of the
/// schema, in one transaction. Throws as EventStore::open promises.
void prepare_store_file(const std::string& path, const EngineOptions& options);

/// Throws InvalidError if a newer Daybook has changed the store's schema since it was opened: what
/// this one would write could be incomplete.
void check_schema_version(Connection& connection);

}  // namespace daybook::sqlite
