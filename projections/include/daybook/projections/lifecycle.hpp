#pragma once

#include <string_view>

namespace daybook {

/// When a read model learns of an event.
enum class Lifecycle {
    async,    ///< behind the log, in batches; in a database of its own
    inline_,  ///< in the transaction of the append; in the store's own database
};

/// `async`, `inline`.
std::string_view to_string(Lifecycle lifecycle) noexcept;

}  // namespace daybook
