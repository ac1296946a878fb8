#include "daybook/core/retries.hpp"

#include <limits>
#include <new>

#include "daybook/core/error.hpp"

namespace daybook {

bool passes_by_itself(const std::exception& error) noexcept {
    const auto* const known = dynamic_cast<const Error*>(&error);
    if (known == nullptr) return dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    switch (known->kind()) {
        case ErrorKind::unavailable:
        case ErrorKind::not_found:
        case ErrorKind::storage:
        case ErrorKind::in_doubt: return true;
        case ErrorKind::invalid:
        case ErrorKind::conflict:
        case ErrorKind::duplicate:
        case ErrorKind::corrupt:
        case ErrorKind::cancelled: return false;
    }
    return false;
}

std::optional<Backoff::Duration> Retries::after(const std::exception& error) {
    looks_ = passes_by_itself(error) ? 0 : looks_ + 1;
    if (looks_ == looks_max) return std::nullopt;
    if (failures_ < std::numeric_limits<int>::max()) ++failures_;
    return waits_.delay(failures_);
}

}  // namespace daybook
