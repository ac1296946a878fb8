#include "daybook/core/error.hpp"

#include <new>

#include "daybook/core/clean_text.hpp"

namespace daybook {

namespace {

constexpr int causes_max = 10;

void append_texts(std::string& out, const std::exception_ptr& thrown, int depth) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        out += error.what();
        const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
        if (nested && nested->nested_ptr() && depth < causes_max) {
            out += "\ncaused by: ";
            append_texts(out, nested->nested_ptr(), depth + 1);
        }
    } catch (...) {
        out += "an exception that is not a std::exception";
    }
}

}  // namespace

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

bool Error::transient() const noexcept {
    switch (kind_) {
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

bool is_transient(const std::exception& error) noexcept {
    const auto* const known = dynamic_cast<const Error*>(&error);
    if (known != nullptr) return known->transient();
    return dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
}

bool is_transient(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return is_transient(known);
    } catch (...) {
        return false;
    }
}

std::string error_text(const std::exception_ptr& error) {
    std::string texts;
    append_texts(texts, error, 0);
    return clean_text(texts);
}

}  // namespace daybook
