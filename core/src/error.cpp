#include "daybook/core/error.hpp"

namespace daybook {

std::string_view to_string(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::duplicate: return "duplicate";
        case ErrorKind::not_found: return "not_found";
        case ErrorKind::unavailable: return "unavailable";
        case ErrorKind::storage: return "storage";
        case ErrorKind::corrupt: return "corrupt";
        case ErrorKind::in_doubt: return "in_doubt";
        case ErrorKind::cancelled: return "cancelled";
    }
    return "unknown";
}

bool Error::retryable() const noexcept { return kind_ == ErrorKind::unavailable; }

}  // namespace daybook
