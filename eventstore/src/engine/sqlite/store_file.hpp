#pragma once

#include <string>

#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/connection.hpp"

namespace daybook::sqlite {

/// Makes sure that `path` is a store of this version: creates it, or applies the migrations that
/// are missing, in one transaction. A store that cannot be written has to be of this version
/// already. Returns the absolute name of the file without symbolic links, which stays valid if the
/// program changes its working directory. Throws what EventStore::open throws.
std::string prepare_store_file(const std::string& path, const StoreOptions& options);

/// Throws InvalidError if a newer Daybook has changed the store's schema since it was opened:
/// events that this version writes could be incomplete under the new schema.
void check_schema_version(Connection& connection);

}  // namespace daybook::sqlite
