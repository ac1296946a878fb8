#include "engine/read_model_name.hpp"

#include <string>

#include "daybook/core/error.hpp"

namespace daybook::detail {

void check_read_model_name(std::string_view name) {
    bool good = !name.empty() && name.front() != '.';
    for (const char c : name) {
        const bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        good = good && (word || c == '.' || c == '_' || c == '-');
    }
    if (!good) {
        throw InvalidError("read model '" + std::string(name) +
                           "': use letters, digits, '_', '-' and '.' in its name");
    }
}

}  // namespace daybook::detail
