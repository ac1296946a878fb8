#pragma once

#include <string>
#include <string_view>

#include <libpq-fe.h>

#include "engine/postgres/place.hpp"

// What the server refused, as a typed error. The kind is told by the SQLSTATE alone: the server's
// words are in the language of its settings. (PostgreSQL manual, "PostgreSQL Error Codes".)

namespace daybook::postgres {

/// Who wrote a statement: its meaning is not the same if a table is missing.
enum class Author { store, program };

/// A statement that has failed.
struct Failure {
    std::string_view statement;
    Author author = Author::store;
    bool on_reader = false;  ///< on a connection that never writes
    bool was_stale = false;  ///< a prepared statement that the server does not run as it stands
};

/// The five characters, or none if the server sent none: then the connection is lost.
std::string sql_state_of(const PGresult* result);

/// Whether the server refuses because it only reads: a standby, or one that was set so.
bool is_read_only_server(std::string_view state, const Failure& failure) noexcept;
/// Whether what the store is made of is not there: dropped, or being restored.
bool is_store_missing(std::string_view state, const Failure& failure) noexcept;

/// Throws the typed error for a failed result.
[[noreturn]] void fail(const Place& place, const PGresult* result, const Failure& failure);

/// Throws the typed error for a failed attempt to connect. `connection` has to report verbosely
/// (`PQERRORS_VERBOSE`): there is no result to take the SQLSTATE from.
[[noreturn]] void fail_to_connect(const Place& place, PGconn* connection);

std::string_view trimmed(std::string_view text) noexcept;

}  // namespace daybook::postgres
