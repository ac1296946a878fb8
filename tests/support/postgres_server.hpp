#pragma once

#include <string>
#include <vector>

struct pg_conn;

namespace daybook::test {

/// The database that the tests on PostgreSQL share: the URI in DAYBOOK_TEST_POSTGRES, or that of
/// the cluster that ctest has started. Throws std::runtime_error that says how to get one.
std::string postgres_uri();

/// One plain connection, for what a test wants to know or do behind Daybook's back.
class PostgresConnection {
public:
    using Rows = std::vector<std::vector<std::string>>;

    /// Throws std::runtime_error if there is nobody.
    explicit PostgresConnection(const std::string& uri);
    ~PostgresConnection();
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    /// Runs one or more statements; the rows of the last as text, NULL as the empty one. Throws
    /// std::runtime_error with the server's words. What the server ends because of a
    /// deadlock with the program under test is run again, unless a transaction was open before.
    Rows query(const std::string& statements);
    /// The only field of the only row.
    std::string field(const std::string& statements) { return query(statements).at(0).at(0); }
    /// The process that serves it.
    int backend() const;

private:
    pg_conn* connection_;
};

/// A name for a schema that nobody has, and no schema yet. What a store made there is dropped at
/// the end, its read models as well.
class PostgresSchema {
public:
    /// In the database at `server`.
    explicit PostgresSchema(std::string server = postgres_uri());
    ~PostgresSchema();
    PostgresSchema(const PostgresSchema&) = delete;
    PostgresSchema& operator=(const PostgresSchema&) = delete;

    const std::string& name() const noexcept { return name_; }
    /// Of a store in it.
    std::string uri() const;
    /// Whether somebody has made it.
    bool exists() const;

private:
    std::string server_;
    std::string name_;
};

}  // namespace daybook::test
