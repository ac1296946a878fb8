#pragma once

#include <chrono>

#include "daybook/core/backoff.hpp"

namespace daybook {

/// What happens to an event whose handler still fails after the last attempt.
enum class OnFailure {
    halt,  ///< the projection stops in front of it until `resume` or a rebuild
    park,  ///< it is put aside, and with it the later events of its stream, until replayed
    skip,  ///< it is left out for good; the reason is kept
};

/// How a projection deals with failing handlers: `static constexpr ErrorPolicy errors{…}` in its
/// class. What the engine fails with, the disk or a lock or a connection, is never an event's
/// fault, whatever its handler makes of it: such errors are tried again without end, and never
/// park, skip or halt. What a handler throws by itself is the event's, of whatever type it is; an
/// UnavailableError alone asks for another attempt, without end.
struct ErrorPolicy {
    Backoff retry = exponential{std::chrono::milliseconds{100}, 2.0, std::chrono::seconds{5}}
                        .full_jitter()
                        .attempts(5);
    OnFailure then = OnFailure::halt;
};

}  // namespace daybook
