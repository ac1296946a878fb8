#pragma once

#include <string>
#include <vector>

#include "daybook/eventstore/sql.hpp"

// Moves a finished read model into the schema of its store, and drops it from there again.

namespace daybook::postgres {

/// Two schemas of one database.
struct ModelMove {
    std::string from;
    std::string to;
};

/// Moves all database objects of a read model, except those whose names begin with `daybook_`, in
/// the open transaction. Rows, sequences, triggers and dependencies are kept. Returns the objects,
/// as `TABLE l` or `FUNCTION f(bigint)`.
std::vector<std::string> move_model(const ModelMove& move, Sql& store);

/// Drops such objects from the schema `from`: moves them into the schema `to`, which is made for
/// that, and drops it. Throws InvalidError if anything else depends on one of them.
void drop_model(const std::vector<std::string>& objects, const ModelMove& move, Sql& store);

/// An object that the open transaction has created outside of `schema`; empty if there is none.
std::string made_outside(const std::string& schema, Sql& model);

}  // namespace daybook::postgres
