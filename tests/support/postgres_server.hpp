#pragma once

#include <string>
#include <vector>

struct pg_conn;

namespace daybook::test {

/// The database that the tests on PostgreSQL share: the URI in DAYBOOK_TEST_POSTGRES, or that of
/// the cluster that ctest has started. Throws std::runtime_error that says how to get one.
std::string postgres_uri();

/// One plain connection, for what a test reads or changes past Daybook.
class PostgresConnection {
public:
    using Rows = std::vector<std::vector<std::string>>;

    /// Throws std::runtime_error if no server answers there.
    explicit PostgresConnection(const std::string& uri);
    ~PostgresConnection();
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    /// Runs one or more statements. Returns the rows of the last one as text, NULL as empty text.
    /// Throws std::runtime_error with the server's message. Statements that the server ends because
    /// of a deadlock with the program under test are run again, unless a transaction was open
    /// before.
    Rows query(const std::string& statements);
    /// The only field of the only row.
    std::string field(const std::string& statements) { return query(statements).at(0).at(0); }
    /// The id of the server process of this connection.
    int backend() const;

private:
    pg_conn* connection_;
};

/// A new name for a schema, which does not exist yet. The destructor drops the schema, if a store
/// has made it, and those of its read models.
class PostgresSchema {
public:
    /// In the database at `server`.
    explicit PostgresSchema(std::string server = postgres_uri());
    ~PostgresSchema();
    PostgresSchema(const PostgresSchema&) = delete;
    PostgresSchema& operator=(const PostgresSchema&) = delete;

    const std::string& name() const noexcept { return name_; }
    /// The URI of a store in it.
    std::string uri() const;
    /// Whether the schema exists.
    bool exists() const;

private:
    std::string server_;
    std::string name_;
};

}  // namespace daybook::test
