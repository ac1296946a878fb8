#pragma once

#include <memory>
#include <string>

#include "daybook/eventstore/event_store.hpp"
#include "postgres_server.hpp"
#include "temporary_directory.hpp"

// Tests of what every engine must do are written once and run on each: ctest has an entry of a
// case for each engine, which sets DAYBOOK_TEST_ENGINE to `sqlite` or `postgres`. A program
// started by hand runs on SQLite.

namespace daybook::test {

/// Whether this run is about PostgreSQL.
bool on_postgres();

/// A place for one store of the engine under test: a file, or a schema. Empty until somebody opens
/// it; whatever is there goes with the object.
class StorePlace {
public:
    StorePlace();

    const std::string& uri() const noexcept { return uri_; }
    /// Another, independent handle on the store, as a second process would have.
    EventStore open(StoreOptions options = {}) const;
    /// Whether there is a store, or anything else.
    bool is_taken() const;

private:
    std::unique_ptr<TemporaryDirectory> directory_;
    std::unique_ptr<PostgresSchema> schema_;
    std::string uri_;
};

/// A store that nobody else will open: on SQLite in memory, on PostgreSQL in a place of its own
/// that lasts as long as the program.
EventStore new_store(StoreOptions options = {});

/// Whether the database that `sql` looks at has a table or an index of that name, in the part of
/// it that is the store's, or the read model's, own.
bool has_relation(Sql& sql, const std::string& name);

}  // namespace daybook::test
