#pragma once

#include "engine/postgres/connection.hpp"

namespace daybook::postgres {

/// Makes or completes the schema of a store, in one transaction and under a lock, so that several
/// programs may start at once. Throws NotFoundError (not there and not to be made), InvalidError
/// (made by a newer Daybook; holds something else).
void prepare_store_schema(Connection& connection);

}  // namespace daybook::postgres
