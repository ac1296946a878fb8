#pragma once

#include <string>
#include <vector>

#include "daybook/eventstore/sql.hpp"
#include "engine/sqlite/connection.hpp"

// How a finished read model comes into the store's own file and leaves it again.

namespace daybook::sqlite {

/// Copies the model in the file `path` into the store, inside the open transaction: tables with
/// their rows and row ids as they are, then indexes, virtual tables over their shadow tables, views
/// and triggers, in this order, so that nothing fires or is computed for a row that comes in. The
/// file stays attached to the connection until `detach_model`. Returns `table x` and `view x`.
std::vector<std::string> copy_model(const std::string& path, ConnectionSql& store);

/// Drops what `copy_model` has returned.
void drop_model(const std::vector<std::string>& things, Sql& store);

/// Lets go of a model that was copied in a transaction that is over. Cheap if there is none.
void detach_model(Connection& connection);

}  // namespace daybook::sqlite
