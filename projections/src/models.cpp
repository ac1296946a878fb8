#include "models.hpp"

#include <algorithm>

#include "daybook/core/error.hpp"
#include "statements.hpp"

namespace daybook::detail {

namespace {

constexpr std::string_view table_prefix = "table ";
constexpr std::string_view view_prefix = "view ";
constexpr std::string_view own_prefix = "daybook_";

/// A transaction on a read model's database that is rolled back unless committed.
class Transacting {
public:
    explicit Transacting(ReadModelDatabase& database) : database_(database) { database_.begin(); }
    ~Transacting() {
        if (open_) database_.rollback();
    }
    Transacting(const Transacting&) = delete;
    Transacting& operator=(const Transacting&) = delete;

    void commit() {
        database_.commit();
        open_ = false;
    }

private:
    ReadModelDatabase& database_;
    bool open_ = true;
};

void run(Sql& sql, const std::string& statements, const ProjectionShape& shape) {
    if (statements.empty()) return;
    try {
        sql.script(statements);
    } catch (const InvalidError& error) {
        throw InvalidError("projection '" + shape.name +
                           "': its schema is refused: " + error.what());
    }
}

/// `table x` and `view x` of everything that is not Daybook's own.
std::vector<std::string> relations_of(Sql& sql) {
    std::vector<std::string> relations;
    for (const auto& [kind, name] : sql.relations()) {
        if (name.starts_with(own_prefix)) continue;
        const bool is_table = kind == SqlRelation::Kind::table;
        relations.push_back(std::string(is_table ? table_prefix : view_prefix) + name);
    }
    return relations;
}

/// Runs `make` and returns the relations that came to be.
template <class Make>
std::vector<std::string> relations_made_by(Sql& sql, Make&& make) {
    const std::vector<std::string> before = relations_of(sql);
    make();
    std::vector<std::string> made = relations_of(sql);
    std::erase_if(made, [&](const std::string& relation) {
        return std::find(before.begin(), before.end(), relation) != before.end();
    });
    return made;
}

void copy_rows(Sql& from, Sql& to, const std::string& table) {
    std::string columns;
    std::string places;
    for (const std::string& column : from.columns(table)) {
        columns += (columns.empty() ? "" : ", ") + quoted_name(column);
        places += places.empty() ? "?" : ", ?";
    }
    const std::string insert =
        "INSERT INTO " + quoted_name(table) + "(" + columns + ") VALUES(" + places + ")";
    std::vector<SqlValue> values;
    from.each("SELECT " + columns + " FROM " + quoted_name(table), [&](const SqlRow& row) {
        values.clear();
        for (int column = 0; column < row.columns(); ++column) values.push_back(row.value(column));
        to.execute(insert, values);
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
                const ProjectionShape& shape) {
    const auto model = databases.open(database, ReadModelUse::build);
    Transacting transaction{*model};
    Ledger ledger{model->sql(), shape.name};
    ledger.create();
    if (!ledger.load()) {
        run(model->sql(), shape.schema, shape);
        run(model->sql(), shape.indexes, shape);
        ledger.insert({});
    }
    transaction.commit();
}

std::unique_ptr<ReadModelDatabase> open_build(ReadModelDatabases& databases,
                                              const std::string& database,
                                              const ProjectionShape& shape, std::int64_t epoch) {
    auto build = databases.open(database, ReadModelUse::build);
    Transacting transaction{*build};
    Ledger ledger{build->sql(), shape.name};
    ledger.create();
    if (ledger.load()) {
        ledger.fence(epoch);
    } else {
        run(build->sql(), shape.schema, shape);
        Checkpoint book;
        book.epoch = epoch;
        book.indexed = false;
        ledger.insert(book);
    }
    transaction.commit();
    return build;
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
    run(build.sql(), shape.indexes, shape);
    ledger.mark_indexed();
    transaction.commit();
}

std::vector<std::string> install_empty(Sql& store, const ProjectionShape& shape) {
    const auto relations = relations_made_by(store, [&] {
        run(store, shape.schema, shape);
        run(store, shape.indexes, shape);
    });
    Ledger{store, shape.name}.insert({});
    return relations;
}

std::vector<std::string> install_copy(Sql& store, const ProjectionShape& shape, Sql& build) {
    // Indexes come last: an insert into each of them per row is dearer than one sort.
    const auto relations = relations_made_by(store, [&] {
        run(store, shape.schema, shape);
        for (const std::string& relation : relations_of(build)) {
            if (!relation.starts_with(table_prefix)) continue;
            copy_rows(build, store, relation.substr(table_prefix.size()));
        }
        run(store, shape.indexes, shape);
    });
    Ledger from{build, shape.name};
    Checkpoint book = from.load().value();
    book.epoch = 0;
    Ledger{store, shape.name}.insert(book);
    copy_set_aside(build, store, shape.name);
    return relations;
}

void uninstall(Sql& store, std::string_view projection, const std::vector<std::string>& relations) {
    // Views first: they stand on the tables.
    for (const bool views : {true, false}) {
        for (const std::string& relation : relations) {
            const bool is_table = relation.starts_with(table_prefix);
            if (is_table == views) continue;
            const std::string name = quoted_name(relation.substr(relation.find(' ') + 1));
            store.exec((is_table ? "DROP TABLE IF EXISTS " : "DROP VIEW IF EXISTS ") + name);
        }
    }
    Ledger{store, projection}.erase();
}

}  // namespace daybook::detail
