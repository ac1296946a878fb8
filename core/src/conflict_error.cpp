#include "daybook/core/conflict_error.hpp"

namespace daybook {
namespace {

std::string in_words(ExpectedVersion expected) {
    switch (expected.kind()) {
        case ExpectedVersion::Kind::no_stream: return "no stream yet";
        case ExpectedVersion::Kind::stream_exists: return "an existing stream";
        default: return expected.to_string();
    }
}

}  // namespace

std::string Conflict::to_string() const {
    return "stream '" + stream.str() + "' is at version " + std::to_string(actual.value()) +
           ", expected " + in_words(expected) + ": read it again and decide again";
}

ConflictError::ConflictError(Conflict conflict, std::source_location where)
    : ErrorOf(conflict.to_string(), where), conflict_(std::move(conflict)) {}

}  // namespace daybook
