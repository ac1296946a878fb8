#pragma once

#include <chrono>

#include "daybook/core/backoff.hpp"

namespace daybook {

/// What happens to an event whose handler still fails at the last attempt.
enum class OnFailure {
    halt,  ///< the projection stops before it until `resume` or a rebuild
    park,  ///< it is set aside, and with it the later events of its stream, until replayed
    skip,  ///< it is never applied; the reason is kept
};

/// How a projection deals with failing handlers: `static constexpr ErrorPolicy errors{…}` in its
/// class. It applies to exceptions of the handler itself, of any type. Errors of the engine (the
/// disk, a lock, a connection) are retried without end and never park, skip or halt, even if the
/// handler catches or replaces them. So is an UnavailableError of the handler.
struct ErrorPolicy {
    Backoff retry = exponential(std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{5})
                        .full_jitter()
                        .attempts(5);
    OnFailure then = OnFailure::halt;
};

}  // namespace daybook
