#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daybook/eventstore/engine.hpp"
#include "daybook/projections/projection_definition.hpp"
#include "ledger.hpp"

// How models come to be and go: tables in a database of their own, or in the store's own one.

namespace daybook::detail {

/// Opens the database of a model that has been made. NotFoundError if it is not there, or not all
/// of it yet.
std::unique_ptr<ReadModelDatabase> open_model(ReadModelDatabases& databases,
                                              const std::string& database, ReadModelUse use);

/// Makes an empty model in a database of its own, with its book, unless they are there.
void make_model(ReadModelDatabases& databases, const std::string& database,
                const ProjectionShape& shape);

/// Opens the database of a build, new or left unfinished, and fences off whoever held it before.
std::unique_ptr<ReadModelDatabase> open_build(ReadModelDatabases& databases,
                                              const std::string& database,
                                              const ProjectionShape& shape, std::int64_t epoch);

/// Runs the definition's indexes on a build unless that was done, in one transaction.
void make_indexes(ReadModelDatabase& build, const ProjectionShape& shape, std::int64_t epoch);

/// Makes an empty model in the store's own database, with its book. Returns its relations
/// (`table x`, `view x`).
std::vector<std::string> install_empty(Sql& store, const ProjectionShape& shape);

/// The same, with the rows and the book of `build`.
std::vector<std::string> install_copy(Sql& store, const ProjectionShape& shape, Sql& build);

/// Drops a model, and its book, from the store's own database.
void uninstall(Sql& store, std::string_view projection, const std::vector<std::string>& relations);

}  // namespace daybook::detail
