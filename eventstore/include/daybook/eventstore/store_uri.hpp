#pragma once

#include <string>
#include <string_view>

namespace daybook {

/// The uri of a store as people and logs may see it: `***` in place of a password. When in doubt
/// it hides too much.
///
///     shown_uri("postgresql://ada:secret@db/orders");  // "postgresql://ada:***@db/orders"
std::string shown_uri(std::string_view uri);

}  // namespace daybook
