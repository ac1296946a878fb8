#pragma once

#include <chrono>

namespace daybook {

/// How long to wait before trying again, and how often to try at all.
///
///     exponential(200ms, 2.0, 10s).full_jitter().attempts(6)
///
/// Full jitter (M. Brooker, "Exponential Backoff and Jitter", 2015) draws each wait evenly between
/// zero and the exponential bound, so that callers that failed together do not return together.
class Backoff {
public:
    using Duration = std::chrono::milliseconds;

    constexpr Backoff(Duration initial, double factor, Duration max) noexcept
        : initial_(initial), max_(max), factor_(factor) {}

    constexpr Backoff full_jitter() const noexcept {
        Backoff copy = *this;
        copy.jitter_ = true;
        return copy;
    }
    /// Sets the number of attempts, including the first.
    constexpr Backoff attempts(int max) const noexcept {
        Backoff copy = *this;
        copy.attempts_max_ = max;
        return copy;
    }

    constexpr int attempts_max() const noexcept { return attempts_max_; }
    constexpr bool exhausted(int attempts_made) const noexcept {
        return attempts_made >= attempts_max_;
    }

    /// The wait after `attempts_made` (1, 2, …) failures, between zero and `forever`. `random` is
    /// in [0, 1) and only used with jitter; with a seeded generator a run is reproducible.
    Duration delay(int attempts_made, double random) const noexcept;
    /// The same with a random number from its own generator. Thread-safe.
    Duration delay(int attempts_made) const;

private:
    Duration initial_;
    Duration max_;
    double factor_;
    int attempts_max_ = 5;
    bool jitter_ = false;
};

/// Waits that grow by `factor` from `initial` up to `max`.
constexpr Backoff exponential(Backoff::Duration initial, double factor,
                              Backoff::Duration max) noexcept {
    return Backoff{initial, factor, max};
}

/// The same wait each time.
constexpr Backoff every(Backoff::Duration wait) noexcept { return Backoff{wait, 1.0, wait}; }

}  // namespace daybook
