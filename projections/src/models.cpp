#include "models.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "daybook/eventstore/guarded_sql.hpp"
#include "statements.hpp"

namespace daybook::detail {

namespace {

/// A transaction on a read model's database that is rolled back unless committed.
class Transacting {
public:
    explicit Transacting(ReadModelDatabase& database) : database_(database) { database_.begin(); }
    ~Transacting() { rollback(); }
    Transacting(const Transacting&) = delete;
    Transacting& operator=(const Transacting&) = delete;

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

/// Runs what a definition has to say about its tables.
template <class Work>
void define(const ProjectionShape& shape, Work&& work) {
    try {
        work();
    } catch (const InvalidError& error) {
        throw RefusedError("projection '" + shape.name +
                           "': its schema is refused: " + error.what());
    }
}

void run(ReadModelDatabase& model, const std::string& statements, const ProjectionShape& shape) {
    if (statements.empty()) return;
    define(shape, [&] {
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

/// Whether a build that was left can be gone on with.
bool is_of(const Checkpoint& left, const Checkpoint& start, const Ledger& ledger, LogSource& log) {
    if (left.definition != start.definition) return false;
    const LogPlaces places = log.places(left.position, left.position);
    try {
        ledger.require_fit(left, places.store, places.first);
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
        Transacting transaction{*model};
        Ledger ledger{model->sql(), shape.name};
        ledger.create();
        if (!ledger.load()) {
            if (!emptied && has_relations(model->sql())) {
                transaction.rollback();
                databases.remove(database);
                continue;
            }
            run(*model, shape.schema, shape);
            run(*model, shape.indexes, shape);
            ledger.insert(start);
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
        Transacting transaction{*build};
        Ledger ledger{build->sql(), shape.name};
        ledger.create();
        if (const auto left = ledger.load()) {
            if (!emptied && !is_of(*left, start, ledger, log)) {
                transaction.rollback();
                build.reset();
                databases.remove(database);
                continue;
            }
            ledger.fence(start.epoch);
        } else {
            run(*build, shape.schema, shape);
            Checkpoint book = start;
            book.indexed = false;
            ledger.insert(book);
        }
        transaction.commit();
        return build;
    }
}

void make_indexes(ReadModelDatabase& build, const ProjectionShape& shape, std::int64_t epoch) {
    Transacting transaction{build};
    Ledger ledger{build.sql(), shape.name};
    const auto book = ledger.load();
    if (!book || book->epoch != epoch) {
        throw UnavailableError("the rebuild of projection '" + shape.name +
                               "' was taken over by somebody else: leave it to them");
    }
    if (book->indexed) return;
    run(build, shape.indexes, shape);
    ledger.mark_indexed();
    transaction.commit();
}

std::vector<std::string> install_empty(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape,
                                       const Checkpoint& start) {
    // What an attempt that was not committed has left may be of another definition.
    databases.remove(database);
    make_model(databases, database, shape, start);
    std::vector<std::string> things;
    define(shape, [&] { things = databases.move_into_store(database, store); });
    Ledger{store, shape.name, Home::store}.insert(start);
    return things;
}

std::vector<std::string> install_build(ReadModelDatabases& databases, const std::string& database,
                                       Sql& store, const ProjectionShape& shape, Sql& build) {
    Checkpoint book = Ledger{build, shape.name}.load().value();
    book.epoch = 0;
    Ledger{store, shape.name, Home::store}.insert(book);
    copy_set_aside(build, store, shape.name);
    std::vector<std::string> things;
    define(shape, [&] { things = databases.move_into_store(database, store); });
    return things;
}

void uninstall(ReadModelDatabases& databases, Sql& store, std::string_view projection,
               const std::vector<std::string>& things) {
    databases.drop_from_store(things, store);
    Ledger{store, projection}.erase();
}

}  // namespace daybook::detail
