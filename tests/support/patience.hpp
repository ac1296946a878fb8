#pragma once

#include <chrono>
#include <thread>

namespace daybook::test {

/// How long a test waits for a condition that must come true. It is no statement about speed: on a
/// busy machine a thread may be suspended for seconds. A test that waits this long has failed.
constexpr std::chrono::milliseconds patience() noexcept { return std::chrono::minutes{4}; }

/// Waits until `condition` is true. False when it was not within `patience()`.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience();
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

}  // namespace daybook::test
