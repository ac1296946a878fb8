#include "models.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/guarded_sql.hpp"
#include "statements.hpp"

namespace daybook::detail {

namespace {

/// A transaction on a read model's database that is rolled back unless committed.
class ModelTransaction {
public:
    explicit ModelTransaction(ReadModelDatabase& database) : database_(database) {
        database_.begin();
    }
    ~ModelTransaction() { rollback(); }
    ModelTransaction(const ModelTransaction&) = delete;
    ModelTransaction& operator=(const ModelTransaction&) = delete;

    void commit() {
        database_.commit();
        open_ = false;
    }
    void rollback() noexcept {
        if (open_) database_.rollback();
        open_ = false;
    }

private:
    ReadModelDatabase& database_;
    bool open_ = true;
};

/// Runs `work`, which executes statements of the definition; InvalidError becomes RefusedError.
template <class Work>
void refuse_invalid(const ProjectionShape& shape, Work&& work) {
    try {
        work();
    } catch (const InvalidError& error) {
        throw RefusedError("projection '" + shape.name +
                           "': its schema is refused: " + error.what());
    }
}

void run_statements(ReadModelDatabase& model, const std::string& statements,
                    const ProjectionShape& shape) {
    if (statements.empty()) return;
    refuse_invalid(shape, [&] {
        GuardedSql{model.sql()}.script(statements);
        model.require_own();
    });
}

bool has_relations(Sql& sql) {
    const auto relations = sql.relations();
    return std::any_of(relations.begin(), relations.end(), [](const SqlRelation& relation) {
        return !relation.name.starts_with("daybook_");
    });
}

void copy_set_aside(Sql& from, Sql& to, std::string_view projection) {
    std::vector<SqlValue> values;
    from.each(
        statements::list_all_set_aside,
        [&](const SqlRow& row) {
            values.clear();
            for (int column = 0; column < row.columns(); ++column) {
                values.push_back(row.value(column));
            }
            to.execute(statements::insert_set_aside, values);
        },
        projection);
}

/// Whether an unfinished build has the definition of `start` and was made from `log`.
bool can_resume(const Checkpoint& left, const Checkpoint& start, const CheckpointTables& tables,
                LogSource& log) {
    if (left.definition != start.definition) return false;
    const LogIds ids = log.ids_at(left.position, left.position);
    try {
        tables.require_same_log(left, ids.store, ids.first);
        return true;
    } catch (const OtherLogError&) {
        return false;
    }
}

}  // namespace

std::unique_ptr<ReadModelDatabase> open_model(ReadModelDatabases& databases,
                                              const std::string& database, ReadModelUse use) {
    auto model = databases.open(database, use);
    if (model->sql().columns("daybook_checkpoint").empty()) {
        throw NotFoundError("read model '" + database + "' is just being made: try again");
    }
    return model;
}

void make_model(ReadModelDatabases& databases, const std::string& database,
                const ProjectionShape& shape, const Checkpoint& start) {
    for (bool emptied = false;; emptied = true) {
        const auto model = databases.open(database, ReadModelUse::build);
        ModelTransaction transaction{*model};
        CheckpointTables tables{model->sql(), shape.name};
        tables.create();
        if (!tables.load()) {
            // Tables and checkpoint of a model commit together, so these tables are not a model.
            if (!emptied && has_relations(model->sql())) {
                transaction.rollback();
                databases.remove(database);
                continue;
            }
            run_statements(*model, shape.schema, shape);
            run_statements(*model, shape.indexes, shape);
            tables.insert(start);
        }
        transaction.commit();
        return;
    }
}

std::unique_ptr<ReadModelDatabase> open_build(ReadModelDatabases& databases,
                                              const std::string& database,
                                              const ProjectionShape& shape, const Checkpoint& start,
                                              LogSource& log) {
    for (bool emptied = false;; emptied = true) {
        auto build = databases.open(database, ReadModelUse::build);
        ModelTransaction transaction{*build};
        CheckpointTables tables{build->sql(), shape.name};
        tables.create();
        if (const auto left = tables.load()) {
            if (!emptied && !can_resume(*left, start, tables, log)) {
                transaction.rollback();
                build.reset();
                databases.remove(database);
                continue;
            }
            tables.fence(start.token);
        } else {
            run_statements(*build, shape.schema, shape);
            Checkpoint checkpoint = start;
            checkpoint.indexed = false;
            tables.insert(checkpoint);
        }
        transaction.commit();
        return build;
    }
}

void make_indexes(ReadModelDatabase& build, const ProjectionShape& shape, std::uint64_t token) {
    ModelTransaction transaction{build};
    CheckpointTables tables{build.sql(), shape.name};
    const auto checkpoint = tables.load();
    if (!checkpoint || checkpoint->token != token) {
        throw UnavailableError("the rebuild of projection '" + shape.name +
                               "' was taken over by somebody else: leave it to them");
    }
    if (checkpoint->indexed) return;
    run_statements(build, shape.indexes, shape);
    tables.mark_indexed();
    transaction.commit();
}

std::vector<std::string> install_empty(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape,
                                       const Checkpoint& start) {
    // An earlier attempt that was not committed may have left a database of another definition.
    databases.remove(database);
    make_model(databases, database, shape, start);
    std::vector<std::string> relations;
    refuse_invalid(shape, [&] { relations = databases.move_into_store(database, store); });
    CheckpointTables{store, shape.name, CheckpointLocation::store_database}.insert(start);
    return relations;
}

std::vector<std::string> install_build(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape, Sql& build) {
    const Checkpoint checkpoint = CheckpointTables{build, shape.name}.load().value();
    CheckpointTables{store, shape.name, CheckpointLocation::store_database}.insert(checkpoint);
    copy_set_aside(build, store, shape.name);
    std::vector<std::string> relations;
    refuse_invalid(shape, [&] { relations = databases.move_into_store(database, store); });
    return relations;
}

void uninstall(ReadModelDatabases& databases, Sql& store, std::string_view projection,
               const std::vector<std::string>& relations) {
    databases.drop_from_store(relations, store);
    CheckpointTables{store, projection}.erase();
}

}  // namespace daybook::detail
