#pragma once

#include <string>

#include "daybook/core/error.hpp"

namespace daybook {

/// A StorageError for want of a right: on the store's file or its directory, or of the role on the
/// server. The text names what the right is missing on. Nothing of the unit was stored. To repeat
/// the call is of no use until somebody grants it.
class DeniedError : public StorageError {
public:
    explicit DeniedError(const std::string& what,
                         std::source_location where = std::source_location::current())
        : StorageError(what, where) {}
};

}  // namespace daybook
