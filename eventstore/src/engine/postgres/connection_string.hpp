#pragma once

#include <string>
#include <string_view>

namespace daybook::postgres {

/// The parsed URI of a store:
///
///     postgresql://user:password@host:port/database?schema=orders&pooler=transaction
///
/// `schema` and `pooler` are Daybook's own parameters. Everything else is passed on to libpq
/// (PostgreSQL manual, "Connection URIs").
struct ConnectionString {
    std::string conninfo;            ///< the URI as libpq takes it, without Daybook's parameters
    std::string name;                ///< for messages: the URI without the password
    std::string schema = "daybook";  ///< holds the store's tables and functions
    /// Set behind a pooler that lends a connection of the server for one transaction at a time. The
    /// next transaction may get another connection, so the session cannot hold any state: prepared
    /// statements, settings and LISTEN are not used.
    bool pooled = false;
};

/// Throws InvalidError if libpq or Daybook cannot take the URI.
ConnectionString parse_connection_string(std::string_view uri);

}  // namespace daybook::postgres
