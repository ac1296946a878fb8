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

/// Whether this run tests PostgreSQL.
bool on_postgres();

/// A temporary location for one store of the engine under test: a file, or a schema. There is no
/// store until `open`. The destructor removes the store and its read models.
class StoreLocation {
public:
    StoreLocation();

    const std::string& uri() const noexcept { return uri_; }
    /// Another, independent handle on the store, as a second process would have.
    EventStore open(StoreOptions options = {}) const;
    /// Whether a store exists there, or any other file or schema of that name.
    bool exists() const;

private:
    std::unique_ptr<TemporaryDirectory> directory_;
    std::unique_ptr<PostgresSchema> schema_;
    std::string uri_;
};

/// A store that only the caller can open: on SQLite in memory, on PostgreSQL in a schema of its own
/// that is dropped at the end of the program.
EventStore new_store(StoreOptions options = {});

/// Whether the store's database, or the read model's, that `sql` is connected to has a table or an
/// index of that name.
bool has_relation(Sql& sql, const std::string& name);

}  // namespace daybook::test
