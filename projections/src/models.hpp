#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint_tables.hpp"
#include "daybook/eventstore/engine.hpp"
#include "daybook/projections/projection_definition.hpp"

// Creates, opens and drops the tables of models, in a database of their own or in the store's.

namespace daybook::detail {

/// The definition itself is wrong, and only another version of the program can change that. A
/// ProjectionFeeder halts on this error, while it retries after any other InvalidError.
class RefusedError final : public InvalidError {
public:
    using InvalidError::InvalidError;
};

/// Opens the database of a model. Throws NotFoundError if the model does not exist, or if another
/// process is still creating it.
std::unique_ptr<ReadModelDatabase> open_model(ReadModelDatabases& databases,
                                              const std::string& database, ReadModelUse use);

/// Creates an empty model in a database of its own unless it exists. `start` is its checkpoint.
void make_model(ReadModelDatabases& databases, const std::string& database,
                const ProjectionShape& shape, const Checkpoint& start);

/// Opens the database of a build, new or left unfinished, and fences off its previous owner: from
/// now on only a projector with `start.token` can commit. A build of another definition or of
/// another log is emptied first.
std::unique_ptr<ReadModelDatabase> open_build(ReadModelDatabases& databases,
                                              const std::string& database,
                                              const ProjectionShape& shape, const Checkpoint& start,
                                              LogSource& log);

/// Creates the indexes of the definition in a build unless they exist, in one transaction.
void make_indexes(ReadModelDatabase& build, const ProjectionShape& shape, std::uint64_t token);

/// Creates an empty model in the store's own database. The schema runs in the separate database
/// `database` first, and what it has created there is moved, so that the model owns exactly that.
/// Returns its tables and views. `database` can be removed after the commit.
std::vector<std::string> install_empty(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape,
                                       const Checkpoint& start);

/// Moves a finished build with its checkpoint into the store's own database. Returns its tables
/// and views.
std::vector<std::string> install_build(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape, Sql& build);

/// Drops a model and its checkpoint from the store's own database.
void uninstall(ReadModelDatabases& databases, Sql& store, std::string_view projection,
               const std::vector<std::string>& relations);

}  // namespace daybook::detail
