#include "failure.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

constexpr int causes_max = 10;

void append_chain(std::string& out, const std::exception_ptr& thrown, int depth) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        out += error.what();
        const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
        if (nested && nested->nested_ptr() && depth < causes_max) {
            out += "\ncaused by: ";
            append_chain(out, nested->nested_ptr(), depth + 1);
        }
    } catch (...) {
        out += "an exception that is not a std::exception";
    }
}

Delivery::Status status_after(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) {
        switch (error.kind()) {
            case ErrorKind::invalid:
            case ErrorKind::corrupt: return Delivery::Status::rejected;
            case ErrorKind::storage:
            case ErrorKind::cancelled: return Delivery::Status::down;
            default: return Delivery::Status::failed;
        }
    } catch (...) {
        return Delivery::Status::failed;
    }
}

}  // namespace

std::string error_chain(const std::exception_ptr& thrown) {
    std::string chain;
    append_chain(chain, thrown, 0);
    return chain;
}

Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver) {
    return {status_after(thrown), error_chain(thrown), std::move(receiver)};
}

}  // namespace daybook::detail
