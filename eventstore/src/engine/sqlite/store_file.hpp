#pragma once

#include <string>

#include "daybook/eventstore/store_options.hpp"
#include "engine/sqlite/connection.hpp"

namespace daybook::sqlite {

/// Makes sure that `path` is a store of this version: creates it, or applies what is missing of the
/// schema, in one transaction. A store that cannot be written has to be of this version already.
/// Returns the name of the file itself: absolute, so that it stays the same wherever the program
/// goes, and without symbolic links. Throws as EventStore::open promises.
std::string prepare_store_file(const std::string& path, const StoreOptions& options);

/// Throws InvalidError if a newer Daybook has changed the store's schema since it was opened: what
/// this one would write could be incomplete.
void check_schema_version(Connection& connection);

}  // namespace daybook::sqlite
