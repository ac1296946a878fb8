#pragma once

#include <string>

#include "daybook/eventstore/engine.hpp"
#include "sqlite/connection.hpp"

namespace daybook::sqlite {

/// Makes sure that `path` is a store of this version: creates it, or applies what is missing of the
/// schema, in one transaction. Throws as EventStore::open promises.
void prepare_store_file(const std::string& path, const EngineOptions& options);

}  // namespace daybook::sqlite
