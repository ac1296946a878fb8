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

/// A definition that cannot be taken into service: somebody has to change it.
class RefusedError final : public InvalidError {
public:
    using InvalidError::InvalidError;
};

/// Opens the database of a model that has been made. NotFoundError if it is not there, or not all
/// of it yet.
std::unique_ptr<ReadModelDatabase> open_model(ReadModelDatabases& databases,
                                              const std::string& database, ReadModelUse use);

/// Makes an empty model in a database of its own, with its book, unless they are there.
/// `start` is the book of an empty model: whose log it is of, and who made it.
void make_model(ReadModelDatabases& databases, const std::string& database,
                const ProjectionShape& shape, const Checkpoint& start);

/// Opens the database of a build, new or left unfinished, and fences off whoever held it before:
/// `start.epoch` may write from now on. What was left of another log, or by another definition,
/// is begun anew.
std::unique_ptr<ReadModelDatabase> open_build(ReadModelDatabases& databases,
                                              const std::string& database,
                                              const ProjectionShape& shape, const Checkpoint& start,
                                              LogSource& log);

/// Runs the definition's indexes on a build unless that was done, in one transaction.
void make_indexes(ReadModelDatabase& build, const ProjectionShape& shape, std::int64_t epoch);

/// Makes an empty model in the store's own database, with its book, by way of a database of its
/// own, so that it owns what its schema has made and nothing else. Returns the things it has in
/// the store. The database is a leftover when the unit has committed.
std::vector<std::string> install_empty(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape,
                                       const Checkpoint& start);

/// Moves a finished build into the store's own database, with its book.
std::vector<std::string> install_build(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape, Sql& build);

/// Drops a model, and its book, from the store's own database.
void uninstall(ReadModelDatabases& databases, Sql& store, std::string_view projection,
               const std::vector<std::string>& things);

}  // namespace daybook::detail
