#pragma once

#include <string>
#include <string_view>

namespace daybook {

/// The name of a store for people and logs: `***` in place of a password and of everything that may
/// be one. In doubt it hides too much: of a URI it shows user, hosts, database and harmless
/// parameters; of a name that was meant for a server but is no URI it shows only the first word.
///
///     shown_uri("postgresql://ada:secret@db/orders");  // "postgresql://ada:***@db/orders"
///     shown_uri("host=db password=secret");            // "host***"
std::string shown_uri(std::string_view uri);

}  // namespace daybook
