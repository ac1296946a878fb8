#pragma once

#include <string>
#include <vector>

#include "daybook/eventstore/sql.hpp"

// How a finished read model comes into the schema of its store and leaves it again.

namespace daybook::postgres {

/// Two schemas of one database.
struct ModelMove {
    std::string from;
    std::string to;
};

/// Moves all that a read model has made, but for what begins with `daybook_`, in the open
/// transaction. It stays what it is: rows, sequences, triggers, what depends on what. Returns one
/// thing a line, as `TABLE l` or `FUNCTION f(bigint)`.
std::vector<std::string> move_model(const ModelMove& move, Sql& store);

/// Drops such things from the schema `from`, through a schema `to` that is made for that. Throws
/// InvalidError if anything else depends on one of them.
void drop_model(const std::vector<std::string>& things, const ModelMove& move, Sql& store);

/// What the open transaction has made outside of `schema`; empty if there is nothing.
std::string made_outside(const std::string& schema, Sql& model);

}  // namespace daybook::postgres
