#pragma once

#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// Creates or migrates the schema of a store, in one transaction and under a lock, so that several
/// processes may open it at once. Throws NotFoundError (the schema does not exist, and
/// `StoreOptions::create` is not set) and InvalidError (a newer Daybook has written it, or it holds
/// other tables).
void prepare_store_schema(Connection& connection);

}  // namespace daybook::postgres
