#pragma once

#include <string>
#include <vector>

#include "daybook/eventstore/sql.hpp"
#include "engine/sqlite/connection.hpp"

// Copies a finished read model into the store's own file, and drops it there.

namespace daybook::sqlite {

/// Copies the model in the file `path` into the store, inside the open transaction: tables with
/// their rows and row ids as they are, then indexes, virtual tables over their shadow tables, views
/// and triggers. The order matters: if a trigger or a virtual table existed already, it would act
/// once more on each row that is copied. The file stays attached to the connection until
/// `detach_model`. Returns `table x` and `view x`.
std::vector<std::string> copy_model(const std::string& path, ConnectionSql& store);

/// Drops the tables and views that `copy_model` has returned.
void drop_model(const std::vector<std::string>& objects, Sql& store);

/// Detaches the file of a model after the transaction that copied it. Cheap if there is none.
void detach_model(Connection& connection);

}  // namespace daybook::sqlite
