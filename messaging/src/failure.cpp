#include "failure.hpp"

#include "daybook/core/clean_text.hpp"
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
    } catch (const UnhandledMessage&) {
        return Delivery::Status::unhandled;
    } catch (const InvalidError&) {
        return Delivery::Status::rejected;
    } catch (const CorruptError&) {
        return Delivery::Status::rejected;
    } catch (...) {
        return Delivery::Status::failed;
    }
}

Delivery::Status status_without_store(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& error) {
        switch (error.kind()) {
            // The inbox holds another message of that id, or cannot hold one of that name.
            case ErrorKind::duplicate:
            case ErrorKind::invalid: return Delivery::Status::rejected;
            default: return Delivery::Status::down;
        }
    } catch (...) {
        return Delivery::Status::failed;
    }
}

}  // namespace

std::string error_chain(const std::exception_ptr& thrown) {
    std::string chain;
    append_chain(chain, thrown, 0);
    return clean_text(chain);
}

Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver) {
    return {status_after(thrown), error_chain(thrown), std::move(receiver)};
}

Delivery delivery_without_store(const std::exception_ptr& thrown, std::string receiver) {
    return {status_without_store(thrown), error_chain(thrown), std::move(receiver)};
}

}  // namespace daybook::detail
