#pragma once

#include <string_view>

namespace daybook {

/// When a read model gets an event, and where its tables are.
enum class Lifecycle {
    async,    ///< after the commit, in batches; in a database of its own
    inline_,  ///< in the transaction of the append; in the store's own database
};

/// `async`, `inline`.
std::string_view to_string(Lifecycle lifecycle) noexcept;

}  // namespace daybook
