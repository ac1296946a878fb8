#pragma once

#include <string>

#include "daybook/core/error.hpp"

namespace daybook {

/// A StorageError because a right is missing: on the store's file or its directory, or of the role
/// on the server. The text names the object. Nothing of the transaction was stored. Repeating the
/// call fails until the right is granted.
class DeniedError : public StorageError {
public:
    explicit DeniedError(const std::string& what,
                         std::source_location where = std::source_location::current())
        : StorageError(what, where) {}
};

}  // namespace daybook
