#pragma once

#include <chrono>
#include <thread>

namespace daybook::test {

/// How long a test waits for something that must come. Nothing is said about speed by it: on a
/// machine that is busy with other things a thread may stand for seconds, and a test that takes
/// this long has failed.
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
