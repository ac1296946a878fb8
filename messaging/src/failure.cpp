#include "failure.hpp"

#include "daybook/core/error.hpp"

namespace daybook::detail {
namespace {

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

Delivery delivery_after(const std::exception_ptr& thrown, std::string receiver) {
    return {status_after(thrown), error_text(thrown), std::move(receiver)};
}

Delivery delivery_without_store(const std::exception_ptr& thrown, std::string receiver) {
    return {status_without_store(thrown), error_text(thrown), std::move(receiver)};
}

}  // namespace daybook::detail
