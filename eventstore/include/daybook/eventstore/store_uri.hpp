#pragma once

#include <string>
#include <string_view>

namespace daybook {

/// The name of a store as people and logs may see it: `***` in place of a password, and of all that
/// may be one. When in doubt it hides too much: of a URI it shows user, hosts, database and the
/// parameters that are known to be harmless, of a name that was meant for a server but is no URI
/// only the first word.
///
///     shown_uri("postgresql://ada:secret@db/orders");  // "postgresql://ada:***@db/orders"
///     shown_uri("host=db password=secret");            // "host***"
std::string shown_uri(std::string_view uri);

}  // namespace daybook
