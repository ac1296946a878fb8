#pragma once

#include <string>
#include <string_view>

namespace daybook::postgres {

/// Where a store is: what a URI says.
///
///     postgresql://user:password@host:port/database?schema=orders&pooler=transaction
///
/// `schema` and `pooler` are Daybook's, all else is libpq's (which see: "Connection URIs").
struct Place {
    std::string conninfo;            ///< for libpq
    std::string name;                ///< the URI for people: without the password
    std::string schema = "daybook";  ///< the store's own schema
    /// Behind a pooler that gives a connection for one transaction at a time: nothing may be left
    /// on a connection, so no prepared statements, no settings, no LISTEN.
    bool pooled = false;
};

/// Throws InvalidError for what is no such URI.
Place parse_place(std::string_view uri);

}  // namespace daybook::postgres
