#pragma once

#include <string>
#include <string_view>

#include <libpq-fe.h>

#include "engine/postgres/connection_string.hpp"

// Turns errors of the server into typed errors. Only the SQLSTATE tells the kind: the server's
// messages are in the language of its settings. (PostgreSQL manual, "PostgreSQL Error Codes".)

namespace daybook::postgres {

/// Who wrote a statement. If a table is missing, a statement of the store means that the store is
/// gone, and one of the program that the program is wrong.
enum class Author { store, program };

/// A statement that has failed.
struct Failure {
    std::string_view statement;
    Author author = Author::store;
    bool on_reader = false;  ///< on a connection that never writes
    bool was_stale = false;  ///< a prepared statement that the server cannot run any more
};

/// The SQLSTATE; empty if the server sent none, which means that the connection is lost.
std::string sql_state_of(const PGresult* result);

/// Whether the server refused because it only reads: it is a standby, or configured so.
bool is_read_only_server(std::string_view state, const Failure& failure) noexcept;
/// Whether tables or functions of the store are missing: it was dropped, or is being restored.
bool is_store_missing(std::string_view state, const Failure& failure) noexcept;

/// Throws the typed error for a failed result.
[[noreturn]] void fail(const ConnectionString& connection_string, const PGresult* result,
                       const Failure& failure);

/// Throws the typed error for a failed attempt to connect. There is no result that has the
/// SQLSTATE, so it is parsed from the message: `connection` must be set to `PQERRORS_VERBOSE`.
[[noreturn]] void fail_to_connect(const ConnectionString& connection_string, PGconn* connection);

std::string_view trimmed(std::string_view text) noexcept;

}  // namespace daybook::postgres
